#!/usr/bin/env bash
# Guess: sift speaks MongoDB's query language, where `{field: {$all: []}}` matches no document (MongoDB manual, "$all":
# "When passed an empty array, $all matches no documents"), and `$elemMatch: {}` no scalar.
#
# Seen with sift 17.1.4: `$all: []` matches every document, also one that does not have the field, although `$in: []`
# matches none; and `$elemMatch: {}` matches a list of scalars. A rule that is generated from an empty list
# ("has all of these labels") therefore lets everything pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent sift@17.1.4
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import sift from 'sift';

const matches = (query, document) => sift(query)(document);
const seen = [
  ['$all: [] against []', matches({ labels: { $all: [] } }, { labels: [] }), true],
  ['$all: [] against ["bug"]', matches({ labels: { $all: [] } }, { labels: ['bug'] }), true],
  ['$all: [] against a scalar', matches({ labels: { $all: [] } }, { labels: 5 }), true],
  ['$all: [] without the field', matches({ labels: { $all: [] } }, {}), true],
  ['$in: [] against ["bug"]', matches({ labels: { $in: [] } }, { labels: ['bug'] }), false],
  ['$elemMatch: {} against [1]', matches({ labels: { $elemMatch: {} } }, { labels: [1] }), true],
  ['$elemMatch: {} against []', matches({ labels: { $elemMatch: {} } }, { labels: [] }), false],
];
for (const [what, now, expected] of seen) {
  console.log(`${what}: ${now}`);
  assert.equal(now, expected, what);
}
console.log('As described.');
JS
timeout 60 node try.mjs
