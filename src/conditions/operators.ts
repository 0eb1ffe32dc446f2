import sift from 'sift';
import { inRanges, isRange, rangeList } from '../lib/http/ranges.ts';
import { getPath, isJsonObject } from '../lib/json.ts';
import type { Budget } from '../lib/limits.ts';
import { compileRegex } from '../lib/regex.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue } from '../types.ts';

/** A longer text is cut in a reason. */
const MAX_TEXT = 60;
const MAX_ITEMS = 5;

/** What a payload has at a path, in words, short and safe to print: `is "closed"`, `is missing`. */
export function describeActual(payload: JsonObject, path: readonly string[]): string {
  const found = collect(payload, path);
  return found === undefined ? 'is missing' : `is ${show(found)}`;
}

/** As `getPath`, but a name inside an array means that field of all its elements, as in MongoDB. */
function collect(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (!Array.isArray(value) || /^\d+$/.test(segment)) return collect(getPath(value, [segment]), rest);
  const found = value.map((item) => collect(item, path)).filter((item) => item !== undefined);
  return found.length === 0 ? undefined : found;
}

function show(value: JsonValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(escapeInvisibleLine(shorten(value, MAX_TEXT)));
  if (Array.isArray(value)) return `[${showItems(value)}]`;
  if (isJsonObject(value)) return typeof value.name === 'string' ? show(value.name) : '{…}';
  return String(value);
}

function showItems(value: JsonValue): string {
  if (!Array.isArray(value)) return show(value);
  const shown = value.slice(0, MAX_ITEMS).map(show);
  return [...shown, ...(value.length > MAX_ITEMS ? ['…'] : [])].join(', ');
}

type SiftOptions = NonNullable<Parameters<typeof sift.createQueryTester>[1]>;
type SiftOperation = NonNullable<SiftOptions['operations']>[string];

/** One operator of conditions: all that there is to know of it. */
interface Operator {
  /** What the operand must be; null when it is that. */
  readonly check: (operand: unknown) => string | null;
  /** Whether it holds, as sift runs it. `budget` limits what all regular expressions of one evaluation cost. */
  readonly test: (budget: Budget) => SiftOperation;
  /** What it asks for, in words: `one of "a", "b"`. */
  readonly describe: (operand: JsonValue, query: JsonObject) => string;
  /** Its sign in `--when`, which begins with one of `= ! < > ~`. Left out: it has none. */
  readonly shorthand?: string;
  /** True: a number as operand is taken for what it is worth, however it is written. */
  readonly isNumeric?: true;
  /** Whether the operand is a text that may be meant as the name of an object. Left out: it never is. */
  readonly comparesText?: (operand: JsonValue) => boolean;
}

const TYPES = ['string', 'number', 'bool', 'object', 'array', 'null'];

const value = expecting('a value', (v) => !isJsonObject(v) || Object.keys(v).length > 0);
const ordered = expecting('a number or a text', (v) => typeof v === 'string' || Number.isFinite(v));
const list = expecting(
  'a list of values, at least one',
  (v) => Array.isArray(v) && v.length > 0 && v.every(isScalar),
);
const texts = (operand: JsonValue) => [operand].flat().some((item) => typeof item === 'string');

/** The operators, by name. A new one is a row here. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  $eq: { check: value, test: () => sift.$eq, describe: show, shorthand: '=', comparesText: texts },
  $ne: {
    check: value,
    test: () => sift.$ne,
    describe: (operand) => `anything but ${show(operand)}`,
    shorthand: '!=',
    comparesText: texts,
  },
  $gt: {
    check: ordered,
    test: () => ordering((it, operand) => it > operand),
    describe: (operand) => `more than ${show(operand)}`,
    shorthand: '>',
    isNumeric: true,
  },
  $gte: {
    check: ordered,
    test: () => ordering((it, operand) => it >= operand),
    describe: (operand) => `${show(operand)} or more`,
    shorthand: '>=',
    isNumeric: true,
  },
  $lt: {
    check: ordered,
    test: () => ordering((it, operand) => it < operand),
    describe: (operand) => `less than ${show(operand)}`,
    shorthand: '<',
    isNumeric: true,
  },
  $lte: {
    check: ordered,
    test: () => ordering((it, operand) => it <= operand),
    describe: (operand) => `${show(operand)} or less`,
    shorthand: '<=',
    isNumeric: true,
  },
  $in: {
    check: list,
    test: () => sift.$in,
    describe: (operand) => `one of ${showItems(operand)}`,
    comparesText: texts,
  },
  $nin: {
    check: list,
    test: () => sift.$nin,
    describe: (operand) => `none of ${showItems(operand)}`,
    comparesText: texts,
  },
  $all: {
    check: list,
    test: () => sift.$all,
    describe: (operand) => `all of ${showItems(operand)}`,
    comparesText: texts,
  },
  $elemMatch: {
    check: expecting('an object', isJsonObject),
    test: () => sift.$elemMatch,
    describe: (operand) =>
      `an element with ${escapeInvisibleLine(shorten(JSON.stringify(operand), MAX_TEXT))}`,
    comparesText,
  },
  $size: {
    check: expecting('a whole number', (v) => Number.isInteger(v) && Number(v) >= 0),
    test: () => sift.$size,
    describe: (operand) => `a list of ${show(operand)}`,
    isNumeric: true,
  },
  $exists: {
    check: expecting('true or false', (v) => typeof v === 'boolean'),
    test: () => sift.$exists,
    describe: (operand) => (operand ? 'it to be there' : 'it to be absent'),
  },
  /** Addresses: `10.0.0.0/8`, `2001:db8::/32`, or one of them. */
  $cidr: {
    check: expecting('an address range such as 10.0.0.0/8, or a list of them', (v) =>
      Array.isArray(v) ? v.length > 0 && v.every(isRange) : isRange(v),
    ),
    test: () => (ranges: string | readonly string[], owner, options) => {
      const list = rangeList([ranges].flat());
      return calling((it) => typeof it === 'string' && inRanges(list, it), owner, options);
    },
    describe: (operand) => `an address in ${showItems(operand)}`,
  },
  $type: {
    check: expecting(`one of ${TYPES.join(', ')}`, (v) => TYPES.includes(String(v))),
    test: () => (type, owner, options) => calling((it) => typeOf(it) === type, owner, options),
    describe: (operand) => `a value of type ${operand}`,
  },
  $not: {
    check: expecting('an object of operators', isJsonObject),
    test: () => sift.$not,
    describe: (operand) =>
      `the contrary of ${isJsonObject(operand) ? describeWanted(operand) : show(operand)}`,
    comparesText,
  },
  $regex: {
    check: expecting('a pattern as text, which is not empty', (v) => typeof v === 'string' && v !== ''),
    test: matching,
    describe: (operand, { $options }) => escapeInvisibleLine(`a match of /${operand}/${$options ?? ''}`),
    shorthand: '~',
    comparesText: texts,
  },
  /** Flags of the `$regex` beside it. */
  $options: {
    check: expecting('flags as text', (v) => typeof v === 'string'),
    test: () => sift.$options,
    describe: show,
  },
};

/** Operators before fields, which combine whole conditions. */
export const GROUPS = ['$and', '$or', '$nor'];

/** Operators that take a number for what it is worth. */
export const NUMERIC = Object.keys(OPERATORS).filter((name) => OPERATORS[name]?.isNumeric === true);

/** What sift runs, by name. */
export function operations(budget: Budget): Record<string, SiftOperation> {
  const { $and, $or, $nor } = sift;
  const own = Object.entries(OPERATORS).map(([name, { test }]) => [name, test(budget)] as const);
  return { $and, $or, $nor, ...Object.fromEntries(own) };
}

/** What one operator asks for, in words: `"open"`, `one of "a", "b"`, `more than 5`. */
export function describeWanted(query: JsonObject): string {
  const [name = '', operand = null] = Object.entries(query)[0] ?? [];
  return operatorNamed(name)?.describe(operand, query) ?? show(query);
}

/** Whether an operand of the query is a text that may be meant as a name. */
export function comparesText(query: JsonValue): boolean {
  return (
    isJsonObject(query) &&
    Object.entries(query).some(
      ([name, operand]) => operatorNamed(name)?.comparesText?.(operand ?? null) === true,
    )
  );
}

/** Undefined for an unknown name, such as `toString`. */
export function operatorNamed(name: string): Operator | undefined {
  return Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
}

/** A value that is neither a list nor an object. */
export function isScalar(it: unknown): boolean {
  return it === null || typeof it === 'string' || typeof it === 'boolean' || Number.isFinite(it);
}

function expecting(what: string, holds: (operand: unknown) => boolean): Operator['check'] {
  return (operand) => (holds(operand) ? null : `expected ${what}`);
}

type Owner = { readonly $options?: string };
type OperationOptions = Parameters<SiftOperation>[2];

/** sift calls a function given to "equals" with each value on the path. */
function calling(test: (it: unknown) => boolean, owner: Owner, options: OperationOptions) {
  return sift.createEqualsOperation(test, owner, options);
}

function matching(budget: Budget): SiftOperation {
  return (pattern: string, owner: Owner, options) => {
    const result = compileRegex(pattern, owner.$options ?? '');
    if (!result.ok) throw new Error(result.message);
    return calling((it) => typeof it === 'string' && result.regex.test(it, budget), owner, options);
  };
}

type Ordered = string | number;

function ordering(holds: (it: Ordered, operand: Ordered) => boolean): SiftOperation {
  return (operand: Ordered, owner: Owner, options) =>
    calling(
      (it) => {
        const comparable = typeof operand === 'number' ? digitsAsNumber(it) : it;
        return isOrdered(comparable) && typeof comparable === typeof operand && holds(comparable, operand);
      },
      owner,
      options,
    );
}

function isOrdered(it: unknown): it is Ordered {
  return typeof it === 'string' || typeof it === 'number';
}

/** A text of digits as its number, when the number is written with these very digits; else the value itself. */
function digitsAsNumber(it: unknown): unknown {
  return typeof it === 'string' && String(Number(it)) === it ? Number(it) : it;
}

function typeOf(it: unknown): string {
  if (it === null) return 'null';
  if (Array.isArray(it)) return 'array';
  return typeof it === 'boolean' ? 'bool' : typeof it;
}
