#!/usr/bin/env bash
# Guess: `?` behind a group can only add "or nothing": where `#(\d*|all)` takes the empty number first and matches `#` of
# `#all`, `#(\d*|all)?` matches `#`, too. And JavaScript and RE2, which both take the leftmost match and the first
# alternative that fits, agree on a pattern without look-around, back-references, classes of Unicode or repeated groups.
#
# Seen with re2js 2.10.0 and Node: without the `?` both match `#`; with it JavaScript matches `#all`, re2js `#`. JavaScript
# refuses an optional turn of a group that consumes nothing and tries the group's next alternative; RE2 takes it, as Perl
# does. The same with `*`, `{0,2}` and, for the second turn, `+`; `{1}` has no optional turn, and they agree. A lazy part
# within an optional one (`(?:a??)?`) parts them as well. Each of them finds a match in the same texts, so that a
# pattern that is only tested behaves alike; what is cut out or replaced differs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent re2js@2.10.0
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { RE2JS } from 're2js';

for (const [pattern, text, script, re2] of [
  ['#(\\d*|all)', '#all', ['#', ''], ['#', '']],
  ['#(\\d*|all)?', '#all', ['#all', 'all'], ['#', '']],
  ['#(\\d*|all)*', '#all', ['#all', 'all'], ['#', '']],
  ['#(\\d*|all){0,2}', '#all', ['#all', 'all'], ['#', '']],
  ['#(\\d*|all)+', '#all', ['#all', 'all'], ['#', '']],
  ['#(\\d*|all){1}', '#all', ['#', ''], ['#', '']],
  ['(?:a??)', 'a', [''], ['']],
  ['(?:a??)?', 'a', ['a'], ['']],
  // Where the first alternative consumes something they agree, with the `?` as without.
  ['#(\\d+|all)?', '#all', ['#all', 'all'], ['#all', 'all']],
]) {
  const own = [...new RegExp(pattern).exec(text)];
  const other = [...RE2JS.compile(pattern).exec(text)];
  console.log(`${pattern} on ${text}: JavaScript ${JSON.stringify(own)}, re2js ${JSON.stringify(other)}`);
  assert.deepEqual(own, script);
  assert.deepEqual(other, re2);
}
assert.equal('#all'.replace(/#(\d*|all)?/, 'x'), 'x');
assert.equal(RE2JS.compile('#(\\d*|all)?').matcher('#all').replaceFirst('x'), 'xall');
console.log('As described.');
JS
timeout 60 node try.mjs
