import { describe, expect, test } from 'vitest';
import { allOf, compileConditions, parseWhen } from '../../src/conditions/conditions.ts';
import type { JsonObject } from '../../src/types.ts';

describe('parseWhen', () => {
  test.each([
    ['issue.labels.name=bug', { 'issue.labels.name': 'bug' }],
    ['issue.labels = help wanted ', { 'issue.labels': 'help wanted' }],
    ['issue.number=5', { 'issue.number': 5 }],
    ['issue.number="5"', { 'issue.number': '5' }],
    ["issue.title='a b '", { 'issue.title': 'a b ' }],
    ['issue.title=""', { 'issue.title': '' }],
    ['x=-1.5', { x: -1.5 }],
    ['x=1.2.3', { x: '1.2.3' }],
    ['draft=false', { draft: false }],
    ['closed_at!=null', { closed_at: { $ne: null } }],
    ['n>5', { n: { $gt: 5 } }],
    ['n>=5', { n: { $gte: 5 } }],
    ['n<5', { n: { $lt: 5 } }],
    ['n <= 5', { n: { $lte: 5 } }],
    ['title~^fix|^feat', { title: { $regex: '^fix|^feat' } }],
    ['title~5', { title: { $regex: '5' } }],
    ['title~"a b"', { title: { $regex: 'a b' } }],
    ['a=b=c', { a: 'b=c' }],
  ])('%s', (text, condition) => {
    expect(parseWhen(text)).toEqual({ ok: true, condition });
    expect(compileConditions(condition as JsonObject).ok).toBe(true);
  });

  test.each<readonly [string, string | number, boolean]>([
    ['release.tag_name=1.10', '1.10', true],
    ['release.tag_name=1.10', 1.1, false],
    ['release.tag_name=1.10', '1.1', false],
    ['release.tag_name=2', '2', true],
    ['release.tag_name=2', 2, true],
    ['release.tag_name!=2', '2', false],
    ['release.tag_name!=1.10', '1.10', false],
    ['release.tag_name=007', '007', true],
    ['release.tag_name=007', 7, false],
    ['release.tag_name=1.0', '1.0', true],
    ['release.tag_name=-0', '-0', true],
    ['release.tag_name="2"', 2, false],
    ['release.tag_name=12345678901234567890', '12345678901234567890', true],
    ['release.tag_name>=1.50', 2, true],
    ['release.tag_name>9', '10', true],
    ['release.tag_name>1e3', 2000, true],
    ['release.tag_name<=0x10', '16', true],
    ['release.tag_name>+1', 2, true],
    ['release.tag_name=1e3', '1e3', true],
    ['release.tag_name=1e3', 1000, false],
    ['release.tag_name=0x10', '0x10', true],
    ['release.tag_name=0x10', 16, false],
    ['release.tag_name=+1', '+1', true],
    ['release.tag_name=.5', '.5', true],
    ['release.tag_name=1_000', '1_000', true],
    ['release.tag_name=true', 'true', true],
    ['release.tag_name=null', 'null', false],
    ['release.tag_name=Infinity', 'Infinity', true],
  ])('E2: %s on %j holds: %s', (text, tag_name, holds) => {
    const read = parseWhen(text);
    const compiled = read.ok ? compileConditions(read.condition) : null;
    if (compiled?.ok !== true) throw new Error(`${text} is refused`);
    expect(compiled.conditions.unmet({ release: { tag_name } }) === null).toBe(holds);
  });

  test.each([
    ['', 1, /expected a field/],
    ['=bug', 1, /expected a field/],
    ['  =bug', 3, /expected a field/],
    ['issue.state', 12, /expected one of != >= <= = > < ~/],
    ['issue state=open', 7, /expected one of/],
    ['issue.state=', 13, /expected a value/],
    ['issue.state =  ', 16, /expected a value/],
    ['title="open', 7, /quotation mark/],
    ['title="open" x', 7, /quotation mark/],
    ['a..b=1', 2, /empty part/],
    ['.a=1', 1, /empty part/],
    ['a.=1', 2, /empty part/],
    ['title~a(?=b)', 8, /look-around/],
    ['title~"(a)\\1"', 11, /back-references/],
    ['title~(', 7, /missing closing/],
  ] as const)('%j is wrong at character %i', (text, position, message) => {
    const result = parseWhen(text);
    expect(result).toMatchObject({ ok: false, position });
    expect(result.ok ? '' : result.message).toMatch(message);
  });

  test('several become one, and a field named twice loses none', () => {
    expect(allOf([{ a: 1 }, { b: 2 }])).toEqual({ a: 1, b: 2 });
    expect(allOf([{ n: { $gt: 1 } }, { n: { $lt: 5 } }])).toEqual({
      $and: [{ n: { $gt: 1 } }, { n: { $lt: 5 } }],
    });
    expect(allOf([])).toEqual({});
  });
});
