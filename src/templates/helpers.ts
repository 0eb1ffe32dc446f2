import type { HelperDelegate, HelperOptions } from 'handlebars';
import { isJsonObject } from '../lib/json.ts';
import { type Budget, createBudget } from '../lib/limits.ts';
import { shorten } from '../lib/text/escape-invisible.ts';
import type { JsonValue } from '../types.ts';
import { derive, keyView, rawOf } from './view.ts';

/** Helpers that return a value. Each returns what it made marked like what it was made from. */
export const VALUE_HELPERS: Readonly<Record<string, HelperDelegate>> = {
  /** `{{json issue.user}}`: as JSON, indented by two spaces. */
  json: (value: unknown) => derive(value, JSON.stringify(rawOf(value), null, 2) ?? ''),
  /** `{{truncate issue.body 200}}`: the first characters, with `…` where something was cut. */
  truncate: (value: unknown, length: unknown) => {
    if (!Number.isInteger(length) || Number(length) < 1) {
      throw new Error('truncate needs a length: {{truncate issue.body 200}}');
    }
    return derive(value, shorten(asText(rawOf(value)), Number(length)));
  },
  /** `{{default issue.body "(no text)"}}`: the second when the first is missing, null or empty. */
  default: (value: unknown, fallback: unknown) =>
    value === undefined || value === null || value === '' ? fallback : value,
  /** `{{date issue.created_at}}`: `2026-03-01 14:05 UTC`, from ISO text or epoch seconds or milliseconds. */
  date: (value: unknown) => {
    const raw = rawOf(value);
    const date = toDate(raw);
    return date === null ? value : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  },
  lower: (value: unknown) => derive(value, asText(rawOf(value)).toLowerCase()),
  upper: (value: unknown) => derive(value, asText(rawOf(value)).toUpperCase()),
  /** `{{join issue.labels ", "}}`: the elements, of objects their `name`; the separator defaults to `, `. */
  join: (value: unknown, separator: unknown) => {
    const raw = rawOf(value);
    const items = Array.isArray(raw) ? raw : [raw];
    return derive(value, items.map(asName).join(typeof separator === 'string' ? separator : ', '));
  },
};

/** How many values each helper takes, at least and at most. */
export const ARITY: Readonly<Record<string, readonly [number, number]>> = {
  json: [1, 1],
  truncate: [2, 2],
  default: [2, 2],
  date: [1, 1],
  lower: [1, 1],
  upper: [1, 1],
  join: [1, 2],
};

/** Blocks that a template may use. `if`, `unless` and `with` are Handlebars' own. */
export const BLOCK_HELPERS = ['if', 'unless', 'each', 'with'];

/** Everything that may be called; the false ones are Handlebars' own that are switched off. */
export const KNOWN_HELPERS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries([...BLOCK_HELPERS, ...Object.keys(VALUE_HELPERS)].map((name) => [name, true])),
  lookup: false,
  log: false,
  helperMissing: false,
  blockHelperMissing: false,
};

/**
 * `{{#each}}` that counts its turns and stops when it alone has made more text than `maxOutput`. `{{@key}}` of a
 * payload's object is marked like its values.
 */
export function eachHelper(
  createFrame: (data: unknown) => object,
  iterations: Budget,
  maxOutput: number,
): HelperDelegate {
  return function each(this: unknown, owner: unknown, options: HelperOptions) {
    const output = createBudget(maxOutput, `more than ${maxOutput / 1e6} MB of output`);
    // All at once, before anything of a long list is copied.
    iterations.spend(sizeOf(owner));
    const entries = entriesOf(owner);
    const turn = ([key, value]: readonly [unknown, unknown], index: number): string => {
      const position = { key, index, first: index === 0, last: index === entries.length - 1 };
      const data = Object.assign(createFrame(options.data), position);
      const text = String(options.fn(value, { data, blockParams: [value, key] }));
      output.spend(text.length);
      return text;
    };
    return entries.length === 0 ? options.inverse(this) : entries.map(turn).join('');
  };
}

function sizeOf(owner: unknown): number {
  if (typeof owner !== 'object' || owner === null) return 0;
  return Array.isArray(owner) ? owner.length : Object.keys(owner).length;
}

function entriesOf(owner: unknown): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(owner)) return owner.map((value, index) => [index, value]);
  if (typeof owner !== 'object' || owner === null) return [];
  return Object.entries(owner).map(([key, value]) => [keyView(owner, key), value]);
}

function asText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function asName(value: JsonValue | undefined): string {
  return isJsonObject(value) && typeof value.name === 'string' ? value.name : asText(value);
}

/** Epoch seconds end in the year 5138 here; anything larger is milliseconds. */
const LARGEST_SECONDS = 1e11;

function toDate(value: JsonValue | undefined): Date | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const number = value === '' ? Number.NaN : Number(value);
  const date = new Date(Number.isNaN(number) ? value : number < LARGEST_SECONDS ? number * 1000 : number);
  return Number.isNaN(date.getTime()) ? null : date;
}
