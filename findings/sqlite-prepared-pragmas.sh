#!/usr/bin/env bash
# Guess: a prepared `pragma synchronous = off` sets the level each time that it is run, and not before; a program can
# prepare one statement for each level and switch by running them.
#
# Seen with sql.js 1.13.0 (SQLite 3.49.1): the level changes when the statement is prepared. The first run after somebody
# else has set another level leaves that one in force; the second run, and each later one, sets it. `cache_size` and
# `busy_timeout` are the same. `foreign_keys` is set by preparing and by every run. `user_version` alone does as guessed. SQLite's documentation says that some pragmas run while they are compiled; which
# of the runs compiles the statement anew is not said. A program that switches how durable its commits are has to give the
# pragma as text each time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent sql.js@1.13.0
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import initSqlJs from 'sql.js';

const SQL = await initSqlJs();
const db = new SQL.Database();
const value = (name) => db.exec(`pragma ${name}`)[0].values[0][0];

/** The value as it was set, after preparing a statement that sets the other, and after each of three runs of it. */
function seen(name, first, other) {
  db.run(`pragma ${name} = ${first}`);
  const values = [value(name)];
  const statement = db.prepare(`pragma ${name} = ${other}`);
  values.push(value(name));
  for (let run = 0; run < 3; run += 1) {
    db.run(`pragma ${name} = ${first}`);
    statement.run();
    values.push(value(name));
  }
  return values;
}

assert.equal(db.exec('select sqlite_version()')[0].values[0][0], '3.49.1');
assert.deepEqual(seen('synchronous', 'full', 'off'), [2, 0, 2, 0, 0]);
assert.deepEqual(seen('cache_size', 100, 77), [100, 77, 100, 77, 77]);
assert.deepEqual(seen('busy_timeout', 10, 20), [10, 20, 10, 20, 20]);
assert.deepEqual(seen('foreign_keys', 'on', 'off'), [1, 0, 0, 0, 0]);
assert.deepEqual(seen('user_version', 1, 9), [1, 1, 9, 9, 9]);
console.log('as seen: sql.js 1.13.0, SQLite 3.49.1');
JS
timeout 60 node try.mjs
