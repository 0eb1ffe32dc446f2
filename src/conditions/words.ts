import { getPath, isJsonObject } from '../lib/json.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonObject, JsonValue } from '../types.ts';

/** A longer text is cut in a reason. */
export const MAX_TEXT = 60;
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

export function show(value: JsonValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(escapeInvisibleLine(shorten(value, MAX_TEXT)));
  if (Array.isArray(value)) return `[${showItems(value)}]`;
  if (isJsonObject(value)) return typeof value.name === 'string' ? show(value.name) : '{…}';
  return String(value);
}

export function showItems(value: JsonValue): string {
  if (!Array.isArray(value)) return show(value);
  const shown = value.slice(0, MAX_ITEMS).map(show);
  return [...shown, ...(value.length > MAX_ITEMS ? ['…'] : [])].join(', ');
}
