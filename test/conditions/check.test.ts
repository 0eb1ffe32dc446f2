import { describe, expect, test } from 'vitest';
import { compileConditions } from '../../src/conditions/conditions.ts';
import type { JsonObject } from '../../src/types.ts';

describe('what is refused, with its place', () => {
  let deep: JsonObject = { a: 1 };
  for (let level = 0; level < 5000; level++) deep = { $and: [deep] };
  const refused: readonly (readonly [string, unknown, string, RegExp])[] = [
    ['$where as text', { $where: 'process.exit()' }, '$where', /would run code/],
    ['$where as function', { $where: () => true }, '$where', /function/],
    ['$where behind a field', { a: { $where: '1' } }, 'a.$where', /would run code/],
    ['$where inside $or', { $or: [{ $where: '1' }] }, '$or.0.$where', /would run code/],
    [
      '$where inside $elemMatch',
      { a: { $elemMatch: { $where: '1' } } },
      'a.$elemMatch.$where',
      /would run code/,
    ],
    ['a function as value', { a: () => true }, 'a', /function is no JSON value/],
    ['a function in $in', { a: { $in: [() => true] } }, 'a.$in.0', /function/],
    ['a RegExp value', { a: /(a+)+$/ }, 'a', /RegExp is refused/],
    ['a RegExp in $regex', { a: { $regex: /x/ } }, 'a.$regex', /RegExp is refused/],
    ['a Date', { a: new Date() }, 'a', /no JSON value/],
    ['undefined', { a: undefined }, 'a', /undefined is no JSON value/],
    ['an unknown operator', { a: { $mod: [2, 0] } }, 'a.$mod', /unknown operator \$mod/],
    ['a mistyped operator', { a: { $exist: true } }, 'a.$exist', /Did you mean \$exists/],
    ['a mistyped group', { $andd: [] }, '$andd', /Did you mean \$and/],
    ['an operator without a field', { $regex: 'x' }, '$regex', /needs a field/],
    ['$or behind a field', { a: { $or: [{ b: 1 }] } }, 'a.$or', /goes before fields/],
    ['an empty $or', { $or: [] }, '$or', /expected a list/],
    ['E20: an empty $all', { 'issue.labels': { $all: [] } }, 'issue.labels.$all', /at least one/],
    ['E20: an empty $nin', { a: { $nin: [] } }, 'a.$nin', /at least one/],
    ['E20: an empty $in', { a: { $in: [] } }, 'a.$in', /at least one/],
    ['E20: an empty list in $not', { a: { $not: { $all: [] } } }, 'a.$not.$all', /at least one/],
    [
      'E20: an empty list in $elemMatch',
      { a: { $elemMatch: { b: { $nin: [] } } } },
      'a.$elemMatch.b.$nin',
      /one/,
    ],
    ['E20: an empty $elemMatch', { a: { $elemMatch: {} } }, 'a.$elemMatch', /found \{\}/],
    ['E20: an empty $not', { a: { $not: {} } }, 'a.$not', /found \{\}/],
    ['E20: an empty pattern', { a: { $regex: '' } }, 'a.$regex', /not empty/],
    ['E20: an empty pattern in $not', { a: { $not: { $regex: '' } } }, 'a.$not.$regex', /not empty/],
    ['E20: an empty object', { a: { $ne: {} } }, 'a.$ne', /a value/],
    ['E20: an empty $and', { $and: [] }, '$and', /expected a list/],
    ['E20: an empty alternative', { $or: [{ a: 1 }, {}] }, '$or.1', /always holds/],
    ['E20: an empty condition in $nor', { $nor: [{}] }, '$nor.0', /always holds/],
    ['__proto__', JSON.parse('{"__proto__.polluted": 1}'), '__proto__.polluted', /leads to a prototype/],
    ['__proto__ as a key', JSON.parse('{"a": {"$eq": {"__proto__": 1}}}'), 'a.$eq.__proto__', /prototype/],
    [
      'constructor',
      { 'issue.constructor.name': 'Object' },
      'issue.constructor.name',
      /"constructor" is refused/,
    ],
    ['prototype', { 'a.prototype': 1 }, 'a.prototype', /prototype/],
    ['valueOf', { 'issue.valueOf': { $ne: null } }, 'issue.valueOf', /"valueOf" is refused/],
    [
      'constructor in $elemMatch',
      { a: { $elemMatch: { constructor: 1 } } },
      'a.$elemMatch.constructor',
      /refused/,
    ],
    ['deep nesting', deep, `${'$and.0.'.repeat(6)}$and`, /nested deeper/],
    ['an empty part of a path', { 'a..b': 1 }, 'a..b', /empty part/],
    ['a nested object', { issue: { state: 'open' } }, 'issue', /for a field inside write issue\.state/],
    ['an empty object', { issue: {} }, 'issue', /expected a value or operators/],
    ['$in without a list', { a: { $in: 'x' } }, 'a.$in', /expected a list/],
    ['$size of a text', { a: { $size: '2' } }, 'a.$size', /whole number/],
    ['$exists of a text', { a: { $exists: 'yes' } }, 'a.$exists', /true or false/],
    ['$type of an unknown type', { a: { $type: 'date' } }, 'a.$type', /one of string, number/],
    ['$gt of null', { a: { $gt: null } }, 'a.$gt', /number or a text/],
    ['$not of a value', { a: { $not: 5 } }, 'a.$not', /object of operators/],
    ['$options alone', { a: { $options: 'i' } }, 'a.$options', /needs a \$regex/],
    ['look-ahead', { a: { $regex: 'x(?=y)' } }, 'a.$regex', /character 2: look-around is not supported/],
    [
      'a back-reference',
      { a: { $not: { $regex: '(a)\\1' } } },
      'a.$not.$regex',
      /character 4: back-references/,
    ],
    ['an unknown flag', { a: { $regex: 'x', $options: 'g' } }, 'a.$regex', /unknown flag/],
    ['a list', [{ a: 1 }], '', /expected an object/],
  ];
  test.each(refused)('%s', (_, source, path, message) => {
    const result = compileConditions(source as JsonObject);
    if (result.ok) throw new Error('accepted');
    expect(result.problems[0]).toEqual({ path, message: expect.stringMatching(message) });
  });

  test('all mistakes at once', () => {
    const result = compileConditions({
      a: { $exist: true },
      $or: [{ b: { $size: 'x' } }],
      c: { $regex: '(' },
    });
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual([
      'a.$exist',
      '$or.0.b.$size',
      'c.$regex',
    ]);
  });
});
