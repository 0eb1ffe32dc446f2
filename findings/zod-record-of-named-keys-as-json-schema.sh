#!/usr/bin/env bash
# Guess: the JSON Schema that zod makes of a type accepts what the type's `parse` returns, sent as JSON; and a record whose
# keys are an enum is described as the object with the same keys, so that an optional value is not in `required`.
#
# Seen with zod 4.6.7 and ajv 8.20.0: `z.record(z.enum(['a', 'b']), z.string().optional())` parses `{a: 'x'}` and returns it
# with `b: undefined`, as JSON the same text as before; but its JSON Schema (`io: 'output'`, the default) requires both keys,
# so that a validator refuses what zod returned. With `io: 'input'` none is required. The object type with the same keys
# adds no `b` and requires none. With `z.any()` as value the record accepts `{}`, the object refuses it, and both schemas
# require each key. A server that declares its results by such a record sends what a validating client has to refuse.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --silent zod@4.6.7 ajv@8.20.0
cat > try.mjs <<'JS'
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';

const keys = z.enum(['a', 'b']);
const text = z.string().optional();
const any = z.any();
for (const [name, type, io, value, parses, required] of [
  ['record of optional texts', z.record(keys, text), 'output', { a: 'x' }, true, ['a', 'b']],
  ['record of optional texts', z.record(keys, text), 'input', { a: 'x' }, true, undefined],
  ['object of optional texts', z.object({ a: text, b: text }), 'output', { a: 'x' }, true, undefined],
  ['record of anything', z.record(keys, any), 'output', {}, true, ['a', 'b']],
  ['record of anything', z.record(keys, any), 'input', {}, true, ['a', 'b']],
  ['object of anything', z.object({ a: any, b: any }), 'output', {}, false, ['a', 'b']],
]) {
  const schema = z.toJSONSchema(type, { io });
  const result = type.safeParse(value);
  const sent = JSON.stringify(result.data ?? value);
  const accepted = new Ajv2020().compile(schema)(JSON.parse(sent));
  console.log(`${name}, ${io}: zod ${result.success}, ajv ${accepted}, required ${JSON.stringify(schema.required)}`);
  assert.equal(result.success, parses);
  assert.equal(sent, JSON.stringify(value));
  assert.deepEqual(schema.required, required);
  assert.equal(accepted, required === undefined);
}
assert.deepEqual(z.record(keys, text).parse({ a: 'x' }), { a: 'x', b: undefined });
assert.deepEqual(z.object({ a: text, b: text }).parse({ a: 'x' }), { a: 'x' });
console.log('As described.');
JS
timeout 60 node try.mjs
