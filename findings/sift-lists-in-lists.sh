#!/usr/bin/env bash
# Guess: a condition on a field that holds a list looks at the list and at its elements, and no deeper, as in MongoDB: 1 is
# no element of `[[1]]`, and a list has one size.
#
# Seen with sift 17.1.4: it goes into lists of lists at any depth. `{field: 1}`, `$in`, `$gt` and `$all` match `[[[1]]]`,
# `$ne` and `$nin` don't; a dotted path finds a field of objects in it. `$size` is compared with each list:
# `[[[1, 2, 3], [4, 5, 6]]]` has the sizes 1, 2 and 3. `{$gt: 100}` on the coordinates of a polygon, or on the rows of a
# table, is thus true for any such number anywhere in it. mingo 7.2.7, which speaks the same language, does as guessed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent sift@17.1.4 mingo@7.2.7
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { Query } from 'mingo';
import sift from 'sift';

for (const [query, value, seen] of [
  [{ field: 1 }, [[1]], true],
  [{ field: 1 }, [[[1]]], true],
  [{ field: { $in: [1] } }, [[[1]]], true],
  [{ field: { $gt: 0 } }, [[[1]]], true],
  [{ field: { $all: [1] } }, [[1]], true],
  [{ field: { $ne: 1 } }, [[1]], false],
  [{ field: { $nin: [1] } }, [[[1]]], false],
  [{ 'field.name': 1 }, [[[{ name: 1 }]]], true],
  [{ field: { $size: 2 } }, [[1, 2]], true],
]) {
  const [own, other] = [sift(query)({ field: value }), new Query(query).test({ field: value })];
  console.log(`${JSON.stringify(query)} on ${JSON.stringify(value)}: sift ${own}, mingo ${other}`);
  assert.equal(own, seen);
  assert.equal(other, !seen);
}
const sizes = [1, 2, 3, 6].filter((count) => sift({ $size: count })([[[1, 2, 3], [4, 5, 6]]]));
assert.deepEqual(sizes, [1, 2, 3]);
console.log('As described.');
JS
timeout 60 node try.mjs
