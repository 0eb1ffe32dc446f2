import { compileRegex } from '../lib/regex.ts';
import type { JsonObject, JsonValue } from '../types.ts';
import { NUMERIC, OPERATORS } from './operators.ts';

export type WhenResult =
  | { readonly ok: true; readonly condition: JsonObject }
  | {
      readonly ok: false;
      readonly message: string;
      /** Character where the mistake is, 1-based. */
      readonly position: number;
    };

/** Names of operators by their sign; longest first, so that `>=` is not read as `>`. */
const SIGNS: ReadonlyMap<string, string> = new Map(
  Object.entries(OPERATORS)
    .flatMap(([name, { shorthand }]) => (shorthand === undefined ? [] : [[shorthand, name] as const]))
    .sort(([a], [b]) => b.length - a.length),
);

/**
 * Reads the short form of one condition, as `--when` takes it: `issue.labels.name=bug`, `issue.comments>=3`,
 * `issue.title~^fix`. Operators: `=` `!=` `>` `>=` `<` `<=` and `~` (regular expression). The value is a number,
 * `true`, `false`, `null`, or else text; quotes (`"1"`, `'true'`) make it text. `=` and `!=` take a number for one
 * only when its digits come back the same: `1.10`, `007` and `1e3` are text.
 */
export function parseWhen(text: string): WhenResult {
  const path = /^\s*[^\s=!<>~"']*/.exec(text)?.[0] ?? '';
  const field = path.trim();
  if (field === '') return mistake(path.length, 'expected a field, such as issue.state');
  const dots = /^\.|\.\.|\.$/.exec(field);
  if (dots !== null) return mistake(path.length - field.length + dots.index, 'a path has an empty part');
  const start = text.length - text.slice(path.length).trimStart().length;
  const symbol = [...SIGNS.keys()].find((candidate) => text.startsWith(candidate, start));
  const operator = symbol === undefined ? undefined : SIGNS.get(symbol);
  if (symbol === undefined || operator === undefined) {
    return mistake(start, `expected one of ${[...SIGNS.keys()].join(' ')} after the field`);
  }
  const after = start + symbol.length;
  const valueStart = text.length - text.slice(after).trimStart().length;
  return withValue(field, operator, text.slice(valueStart).trimEnd(), valueStart);
}

/** All of several conditions as one; a field that is named twice needs `$and`, or the later would replace it. */
export function allOf(conditions: readonly JsonObject[]): JsonObject {
  const keys = conditions.flatMap((condition) => Object.keys(condition));
  return new Set(keys).size === keys.length ? Object.assign({}, ...conditions) : { $and: conditions };
}

function withValue(field: string, operator: string, raw: string, index: number): WhenResult {
  if (raw === '') return mistake(index, 'expected a value; the empty text is ""');
  const value = operator === '$regex' && !/^["']/.test(raw) ? raw : readValue(raw, operator);
  if (value === undefined) return mistake(index, 'the quotation mark is not closed at the end');
  const condition = { [field]: operator === '$eq' ? value : { [operator]: value } };
  if (operator !== '$regex') return { ok: true, condition };
  const regex = compileRegex(String(value), '');
  if (regex.ok) return { ok: true, condition };
  const quote = value === raw ? 0 : 1;
  return mistake(index + quote + (regex.position ?? 1) - 1, regex.message);
}

/** undefined when a quoted text does not end as it began. */
function readValue(raw: string, operator: string): JsonValue | undefined {
  const quote = raw[0];
  if (quote === '"' || quote === "'") {
    return raw.length > 1 && raw.endsWith(quote) ? raw.slice(1, -1) : undefined;
  }
  const number = Number(raw);
  if (Number.isFinite(number) && (String(number) === raw || NUMERIC.includes(operator))) return number;
  return raw === 'true' ? true : raw === 'false' ? false : raw === 'null' ? null : raw;
}

function mistake(index: number, message: string): WhenResult {
  return { ok: false, message, position: index + 1 };
}
