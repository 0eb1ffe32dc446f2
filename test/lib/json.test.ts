import { describe, expect, test } from 'vitest';
import { getPath, MAX_DEPTH, MAX_KEYS, MAX_VALUES, parseJson } from '../../src/lib/json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const withKeys = (count: number) =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;

describe('what is refused, and why', () => {
  const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an empty body', bytes(''), /ends too early/],
    ['a body that stops', bytes('{"a":'), /ends too early/],
    ['a trailing comma', bytes('{"a":1,}'), /not valid JSON at character 8/],
    ['text behind the object', bytes('{"a":1} x'), /not valid JSON at character 9/],
    ['a comment', bytes('{/* */"a":1}'), /not valid JSON/],
    ['NaN', bytes('{"a":NaN}'), /not valid JSON/],
    ['a raw NUL in a text', bytes('{"a":"\0"}'), /not valid JSON/],
    ['an unclosed text', bytes('{"a":"b'), /not valid JSON/],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /not valid UTF-8/],
    ['a surrogate as UTF-8', new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]), /not valid UTF-8/],
    ['UTF-16', new Uint8Array(Buffer.from('\ufeff{"a":1}', 'utf16le')), /not valid UTF-8/],
    ['UTF-16 without a mark', new Uint8Array(Buffer.from('{"a":1}', 'utf16le')), /not valid JSON/],
    ['a byte order mark', bytes('\ufeff{"a":1}'), /byte order mark/],
    ['a list at the top', bytes('[{"a":1}]'), /top level is not an object/],
    ['a text at the top', bytes('"a"'), /top level is not an object/],
    ['null at the top', bytes('null'), /top level is not an object/],
    ['a key twice', bytes('{"a":1,"a":1}'), /same key twice/],
    ['a key twice far inside', bytes('{"a":[{"b":{"c":1,"d":2,"c":3}}]}'), /same key twice/],
    ['a key twice, once escaped', bytes('{"a":1,"\\u0061":2}'), /same key twice/],
    ['__proto__ twice', bytes('{"__proto__":1,"__proto__":2}'), /same key twice/],
    ['NUL in a key', bytes('{"a\\u0000":1}'), /a key contains NUL/],
    ['half a surrogate pair in a key', bytes('{"x":[{"\\ud83d":1}]}'), /half of a surrogate pair/],
    [`${MAX_DEPTH + 1} levels`, bytes(nested(MAX_DEPTH + 1)), /deeper than 64 levels, at character 69/],
    [`${MAX_KEYS + 1} keys`, bytes(withKeys(MAX_KEYS + 1)), /more than 50000 keys/],
  ];
  test.each(refused)('%s', (_, body, reason) => {
    const result = parseJson(body);
    expect(result.ok ? 'accepted' : result.reason).toMatch(reason);
  });
});

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'a duplicate key is found at any alignment of the body in memory: %i',
  (offset) => {
    // Beside the quotation mark lie `!` and `#`; `¢` and `¡` have bytes with its bits, and one bit more.
    const filler = ['', '!', '#', '¢¡', '\\"', '"":"', '£"'];
    for (const [length, text] of filler.entries()) {
      const key = 'k'.repeat(length + 1);
      const once = JSON.stringify({ [key]: text, other: [text, { [key]: text }] });
      const twice = once.replace('"other"', JSON.stringify(key));
      for (const [body, sound] of [
        [once, true],
        [twice, false],
      ] as const) {
        const memory = Buffer.alloc(offset + Buffer.byteLength(body) + 9, '"');
        memory.write(body, offset);
        const view = memory.subarray(offset, offset + Buffer.byteLength(body));
        expect([body, parseJson(view).ok]).toEqual([body, sound]);
      }
    }
  },
);

describe('what is accepted', () => {
  test.each([
    ['an empty object', '{}'],
    ['white space around', ' \n\t{"a": 1}\r\n'],
    ['brackets, colons and quotes inside texts', '{"a":"[[[{{{:::\\"]]","b\\\\":"\\\\"}'],
    ['the same key in two objects', '{"a":{"x":1},"b":{"x":1}}'],
    ['the deepest allowed nesting', nested(MAX_DEPTH)],
    ['the most keys allowed', withKeys(MAX_KEYS)],
    ['a surrogate pair as key', '{"\\ud83d\\ude00":1}'],
    ['an escaped backslash before u0000 in a key', '{"\\\\u0000":1}'],
    ['half a surrogate pair in a value', '{"a":"\\ud83d"}'],
    ['NUL in a value', '{"a":"\\u0000"}'],
    ['big numbers', '{"a":9007199254740993,"b":1e400,"c":-0.0}'],
  ])('%s', (_, text) => {
    expect(parseJson(bytes(text))).toEqual({ ok: true, value: JSON.parse(text) });
  });
});

test.each([1e2, 1e3, 1e4, 1e5, 1e6])('%i levels are refused without an overflow of the stack', (levels) => {
  for (const open of ['[', '{"a":']) {
    const result = parseJson(bytes(`{"a":${open.repeat(levels)}`));
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('deeper than 64') });
  }
});

test('keys that lead to a prototype stay own properties and pollute nothing', () => {
  const result = parseJson(bytes('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
  if (!result.ok) throw new Error(result.reason);
  expect(Object.keys(result.value)).toEqual(['__proto__', 'constructor']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(getPath(result.value, ['__proto__', 'polluted'])).toBe(1);
});

test('a reason never quotes the body, which may hold secrets and escape sequences', () => {
  for (const text of [
    '{"token":"s3cret-value" x}',
    's3cret-value',
    '{"a":s3cret-value}',
    '{"a":"\u001b]52;s3cret-value',
  ]) {
    const result = parseJson(bytes(text));
    expect(result).toMatchObject({ ok: false, reason: expect.not.stringContaining('cret-value') });
    expect(JSON.stringify(result)).not.toContain('u001b');
  }
});

describe('getPath', () => {
  const value = { issue: { labels: [{ name: 'bug' }], title: 'x', none: null } };
  test.each([
    [['issue', 'title'], 'x'],
    [['issue', 'labels', '0', 'name'], 'bug'],
    [['issue', 'none'], null],
    [[], value],
    [['issue', 'labels', '1'], undefined],
    [['issue', 'labels', 'length'], undefined],
    [['issue', 'labels', 'name'], undefined],
    [['issue', 'title', 'length'], undefined],
    [['issue', 'none', 'x'], undefined],
    [['constructor'], undefined],
    [['issue', '__proto__', 'toString'], undefined],
  ])('%j', (path, expected) => expect(getPath(value, path)).toEqual(expected));
});

test.each([
  ['empty objects', (count: number) => `{"a":[${'{},'.repeat(count)}{}]}`, 2],
  ['empty lists', (count: number) => `{"a":[${'[],'.repeat(count)}[]]}`, 2],
  ['numbers', (count: number) => `{"a":[${'1,'.repeat(count)}1]}`, 1],
  ['texts', (count: number) => `{"a":[${'"a",'.repeat(count)}"a"]}`, 1],
  ['lists in lists', (count: number) => `{"a":[${'[1],'.repeat(count)}[1]]}`, 2],
])('F15: more than 100,000 values are refused before they are made: %s', (_, make, cost) => {
  const most = MAX_VALUES / cost - 4;
  expect(parseJson(bytes(make(most))).ok).toBe(true);
  const over = parseJson(bytes(make(most + 8)));
  expect(over.ok ? 'accepted' : over.reason).toMatch(/more than 100000 values, at character \d+/);
});

test('F15: the length behind the last value that counts costs nothing', () => {
  const timeOf = (count: number) => {
    const body = bytes(`{"a":[${'{},'.repeat(count)}{}]}`);
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(parseJson(body).ok).toBe(false);
      return performance.now() - start;
    });
    return Math.min(...times);
  };
  timeOf(200_000);
  // Decoding alone grows with it: eight million objects took two hundred times as long as forty thousand.
  expect(timeOf(8_000_000)).toBeLessThan(40 * timeOf(200_000) + 100);
});

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'the shortest documents are read wherever they begin in memory: at %i',
  (offset) => {
    for (const text of ['{}', '{"":0}', ' {}', '{ }\n']) {
      const memory = Buffer.alloc(offset + text.length);
      memory.write(text, offset);
      expect(parseJson(memory.subarray(offset))).toMatchObject({ ok: true });
    }
  },
);
