#!/usr/bin/env bash
# Guess: `node:sqlite` gives a whole JavaScript number to SQLite as an integer, as sql.js does, so that 7 in a column of
# text is '7', and two programs that write the same key with either of them find each other's rows.
#
# Seen with Node 24.21.0 beside sql.js 1.13.0: `node:sqlite` gives each number as a real, whole or not. A column of text
# keeps '7.0', `json_array(?)` makes [7.0], `'$[' || ? || ']'` is no JSON path that SQLite reads, and 3 / ? with 2 is 1.5.
# A column of integers converts it back, so most programs never see it. A BigInt goes as an integer. sql.js gives the same
# JavaScript value as an integer, so a key that one of them wrote as a number is not found by the other. Node's
# documentation says that numbers become "INTEGER or REAL".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent node@24.21.0
npm install --ignore-scripts --no-audit --no-fund --silent sql.js@1.13.0
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import initSqlJs from 'sql.js';

assert.equal(process.version, 'v24.21.0');
const SQL = await initSqlJs();
const builtIn = new DatabaseSync('own.db');
const wasm = new SQL.Database();
const ask = {
  builtIn: (sql, ...values) => Object.values(builtIn.prepare(sql).get(...values)),
  wasm: (sql, ...values) => wasm.exec(sql, values)[0].values[0],
};
const table = 'create table kept (words text, whole integer)';
builtIn.exec(table);
wasm.run(table);
builtIn.prepare('insert into kept values (?, ?)').run(7, 7);
wasm.run('insert into kept values (?, ?)', [7, 7]);

const kept = 'select words, typeof(whole) from kept';
assert.deepEqual(ask.builtIn(kept), ['7.0', 'integer']);
assert.deepEqual(ask.wasm(kept), ['7', 'integer']);
const made = "select typeof(?), json_array(?), 3 / ?, '$[' || ? || ']'";
assert.deepEqual(ask.builtIn(made, 1, 1, 2, 1), ['real', '[1.0]', 1.5, '$[1.0]']);
assert.deepEqual(ask.wasm(made, 1, 1, 2, 1), ['integer', '[1]', 1, '$[1]']);
assert.throws(() => ask.builtIn("select json_extract('[5, 6]', '$[' || ? || ']')", 1), /bad JSON path/);
assert.deepEqual(ask.wasm("select json_extract('[5, 6]', '$[' || ? || ']')", 1), [6]);
assert.deepEqual(ask.builtIn('select typeof(?), json_array(?)', 1n, 1n), ['integer', '[1]']);
console.log('as seen: node:sqlite of Node 24.21.0, sql.js 1.13.0');
JS
timeout 60 node_modules/.bin/node try.mjs
