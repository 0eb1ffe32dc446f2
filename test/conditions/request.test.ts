import { expect, test } from 'vitest';
import { compileConditions } from '../../src/conditions/conditions.ts';
import type { JsonObject, RequestHead } from '../../src/types.ts';

const request: RequestHead = {
  headers: { 'x-event': 'push', 'x-count': '12', ':method': 'PUT', ':client': '192.30.252.7' },
  query: 'env=prod&tag=a&tag=b&empty=',
};

function unmet(source: JsonObject, head: RequestHead = request): string | null {
  const compiled = compileConditions(source);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.conditions.unmet({ issue: { state: 'open' }, header: { x: 1 } }, head);
}

test.each<[string, JsonObject, string | null]>([
  ['a header', { 'header:x-event': 'push' }, null],
  ['a header in capitals', { 'header:X-Event': 'push' }, null],
  ['another value', { 'header:x-event': 'ping' }, 'header:x-event is "push", wanted "ping"'],
  ['a header that is not there', { 'header:x-other': 'a' }, 'header:x-other is missing, wanted "a"'],
  ['a number in a header', { 'header:x-count': { $gt: 11 } }, null],
  ['a pattern', { 'header:x-event': { $regex: '^pu' } }, null],
  ['a query parameter', { 'query:env': 'prod' }, null],
  ['one of two of that name', { 'query:tag': 'b' }, null],
  ['an empty one', { 'query:empty': { $exists: true } }, null],
  ['a missing one', { 'query:user': { $exists: false } }, null],
  ['the method', { 'request:method': { $in: ['PUT', 'PATCH'] } }, null],
  ['the address', { 'request:client': { $cidr: ['10.0.0.0/8', '192.30.252.0/22'] } }, null],
  [
    'another address',
    { 'request:client': { $cidr: '10.0.0.0/8' } },
    'request:client is "192.30.252.7", wanted an address in "10.0.0.0/8"',
  ],
  [
    'beside the payload’s',
    { 'issue.state': 'open', $or: [{ 'header:x-event': 'ping' }, { 'query:env': 'prod' }] },
    null,
  ],
  [
    'not the prototype',
    { 'header:constructor': { $exists: false }, 'query:__proto__': { $exists: false } },
    null,
  ],
])('conditions on %s', (_, source, reason) => {
  expect(unmet(source)).toBe(reason);
});

test('without a request: the method is POST, everything else is missing', () => {
  const none = { headers: {}, query: '' };
  expect(unmet({ 'request:method': 'POST' }, none)).toBeNull();
  expect(unmet({ 'request:client': { $cidr: '::/0' } }, none)).toMatch(/request:client is missing/);
});

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['2001:db8::/32', '2001:db8:1::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['::1', '::1', true],
  ['0.0.0.0/0', 'localhost', false],
  ['0.0.0.0/0', '::1', false],
])('$cidr %s takes %s: %s', (range, address, isIn) => {
  const head = { headers: { ':client': address }, query: '' };
  expect(unmet({ 'request:client': { $cidr: range } }, head) === null).toBe(isIn);
});

test.each<[JsonObject, RegExp]>([
  [{ 'request:ip': '1' }, /there is no request:ip; known: request:method, request:client/],
  [{ 'header:authorization': 'x' }, /is a secret, which is not kept/],
  [{ 'header:X-Api-Key': 'x' }, /is a secret, which is not kept/],
  [{ 'request:client': { $cidr: '10.0.0.0/40' } }, /expected an address range/],
  [{ 'request:client': { $cidr: [] } }, /expected an address range/],
  [{ 'request:client': { $cidr: 'localhost' } }, /expected an address range/],
])('%j is refused', (source, message) => {
  const compiled = compileConditions(source);
  expect(compiled.ok ? '' : compiled.problems.map((each) => each.message).join()).toMatch(message);
});
