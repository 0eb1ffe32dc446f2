import { getPath, isJsonObject } from '../lib/json.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue } from '../types.ts';

const MAX_TEXT = 60;
const MAX_ITEMS = 5;

/** What a payload has at a path, in words, short and safe to print: `is "closed"`, `is missing`. */
export function describeActual(payload: JsonObject, path: readonly string[]): string {
  const found = collect(payload, path);
  return found === undefined ? 'is missing' : `is ${show(found)}`;
}

/** What one operator asks for, in words: `"open"`, `one of "a", "b"`, `more than 5`. */
export function describeWanted(query: JsonObject): string {
  const [name = '', operand = null] = Object.entries(query)[0] ?? [];
  return WORDS[name]?.(operand, query) ?? show(query);
}

const WORDS: Readonly<Record<string, (operand: JsonValue, query: JsonObject) => string>> = {
  $eq: show,
  $ne: (operand) => `anything but ${show(operand)}`,
  $gt: (operand) => `more than ${show(operand)}`,
  $gte: (operand) => `${show(operand)} or more`,
  $lt: (operand) => `less than ${show(operand)}`,
  $lte: (operand) => `${show(operand)} or less`,
  $in: (operand) => `one of ${showItems(operand)}`,
  $nin: (operand) => `none of ${showItems(operand)}`,
  $all: (operand) => `all of ${showItems(operand)}`,
  $size: (operand) => `a list of ${show(operand)}`,
  $exists: (operand) => (operand ? 'it to be there' : 'it to be absent'),
  $type: (operand) => `a value of type ${operand}`,
  $regex: (operand, { $options }) => escapeInvisibleLine(`a match of /${operand}/${$options ?? ''}`),
  $not: (operand) => `the contrary of ${isJsonObject(operand) ? describeWanted(operand) : show(operand)}`,
  $elemMatch: (operand) =>
    `an element with ${escapeInvisibleLine(shorten(JSON.stringify(operand), MAX_TEXT))}`,
};

/** As `getPath`, but a name inside an array stands for that field of all its elements, as in MongoDB. */
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
