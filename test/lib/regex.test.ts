import { describe, expect, test } from 'vitest';
import { BudgetError, createBudget } from '../../src/lib/limits.ts';
import { compileRegex } from '../../src/lib/regex.ts';

const matches = (pattern: string, text: string, flags = '') => {
  const result = compileRegex(pattern, flags);
  if (!result.ok) throw new Error(result.message);
  return result.regex.test(text, createBudget(8_000_000, 'too much'));
};

test.each([
  ['^fix', 'fix: a bug', '', true],
  ['^fix', 'a fix', '', false],
  ['BUG', 'a bug', '', false],
  ['BUG', 'a bug', 'i', true],
  ['a.b', 'a\nb', '', false],
  ['a.b', 'a\nb', 's', true],
  ['^b$', 'a\nb', '', false],
  ['^b$', 'a\nb', 'm', true],
  ['\\p{Greek}+', 'αβγ', '', true],
  ['(feat|fix)(\\(\\w+\\))?!?:', 'feat(api)!: x', '', true],
])('/%s/ on %j with flags "%s": %s', (pattern, text, flags, expected) => {
  expect(matches(pattern, text, flags)).toBe(expected);
});

describe('what is refused, with its place', () => {
  test.each([
    ['(?=a)b', 1, /look-around is not supported/],
    ['ab(?!c)', 3, /look-around/],
    ['x(?<=a)b', 2, /look-around/],
    ['(?<!a)b', 1, /look-around/],
    ['(a)\\1', 4, /back-references are not supported/],
    ['\\\\1(a)\\1', 7, /back-references/],
    ['(?<n>a)\\k<n>', 8, /back-references/],
    ['a(?>b)', 2, /unsupported/],
    ['(a', 1, /missing closing/],
    ['x[z-a]', 3, /invalid character class range/],
    ['*a', 1, /missing argument/],
    ['ab++', 3, /invalid nested repetition/],
    ['a{1001}', 2, /invalid repeat count/],
    ['a\\', null, /trailing backslash/],
    ['.{1,1000}b$', null, /too expensive: 2003 instructions/],
    ['a'.repeat(1001), null, /longer than 1000/],
  ] as const)('%s', (pattern, position, message) => {
    const result = compileRegex(pattern, '');
    expect(result).toMatchObject({ ok: false, position });
    expect(result.ok ? '' : result.message).toMatch(message);
  });

  test('an unknown flag', () => {
    expect(compileRegex('a', 'g')).toMatchObject({ ok: false, message: expect.stringContaining('flag "g"') });
  });
});

const random = (length: number) => {
  let seed = 7;
  const bit = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed & 0x10000 ? 'a' : 'b';
  };
  return Array.from({ length }, bit).join('');
};

/** Patterns that make a backtracking engine, an NFA or a DFA slow; most need seconds to years in V8. */
const HOSTILE = [
  '(a+)+$',
  '(a*)*$',
  '(a|a)*$',
  '(a|aa)+$',
  '(a|a?)+$',
  '(.*a){20}$',
  '(.*)*x',
  '(.*)+=.*',
  '.*.*.*.*.*=.*',
  '([a-z]+)*d',
  '([a-zA-Z]+)*$',
  '(x+x+)+y',
  '(a|b|ab)*c',
  '(\\w+\\s?)+$',
  '(\\d+)+x',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '^(a?){30}a{30}$',
  '(?:a?){300}a{300}c',
  '(a{0,30}){0,30}b$',
  '(a{0,30}){0,15}c',
  '.{1,1000}b$',
  '.{1,490}c$',
  '((a+)+)+$',
  '(((a*)*)*)*$',
  '(a+){10}c',
  '([a-z]*){30}c',
  '(a|[ab])*c',
  '(?i)(a|A)+$',
  '(?s)a.{12}c',
  '(?s)a.{20}c',
  '(?s)a.{60}c',
  '(?s)a.{400}c',
  '(a.{300}){2}c',
  '(a|b)*a(a|b){300}c',
  '(?i)(\\pL|a)*a(\\pL|\\d){200}c',
  '(?:a|b.){200}(?:.b|a){100}c',
  '\\b.{0,200}\\b.{0,200}c',
  '(?:.*a){300}c',
  '[a-q][^u-z]{13,400}x',
  '(\\w+\\s?)+\\pL{90}c',
  '(?i)(\\pL{1,4}){100}d',
  '((((a{10}){10}){10}){10}){10}',
  '(?=(a+))a*b\\1',
  '(a+)\\1+$',
  '^(?:(?:a|b)*,)*c$',
  '(a*?)*?c',
  '(?:a|(?:a|(?:a|a)*)*)*c',
  '(?U)(a+)+c',
  '(?:[ab]{1,50}){1,15}c',
  '\\B(a|\\b)*c',
];

/** Processor time, which a busy machine does not add to; without the limits some of these take seconds to years. */
const STALL_MS = 2500;

describe('no hostile pattern stalls', () => {
  const texts = [
    'a'.repeat(65_000),
    random(65_000),
    `c=d${random(4000)}`,
    'the quick brown fox '.repeat(3000),
  ];
  test('there are at least 40 of them', () => expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(40));
  test.each(HOSTILE)('%s', (pattern) => {
    const started = process.cpuUsage();
    const result = compileRegex(pattern, '');
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(STALL_MS);
    if (!result.ok) return;
    for (const text of texts) {
      const start = process.cpuUsage();
      try {
        result.regex.test(text, createBudget(8_000_000, 'too much'));
      } catch (error) {
        expect(error).toBeInstanceOf(BudgetError);
      }
      expect(process.cpuUsage(start).user / 1_000).toBeLessThan(STALL_MS);
    }
  });
});

test('a text above 64 KiB is not searched', () => {
  expect(() => matches('a', 'a'.repeat(65_537))).toThrow(BudgetError);
  expect(matches('a', 'a'.repeat(65_536))).toBe(true);
});

test('many texts share one budget', () => {
  const result = compileRegex('b', '');
  if (!result.ok) throw new Error(result.message);
  const budget = createBudget(8_000_000, 'too much');
  const searchAll = () => {
    for (let i = 0; i < 10; i++) result.regex.test('a'.repeat(60_000), budget);
  };
  expect(searchAll).toThrow('too much');
});
