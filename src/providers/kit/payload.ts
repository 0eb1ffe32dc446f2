import { getPath, isJsonObject } from '../../lib/json.ts';
import type { JsonObject, JsonValue } from '../../types.ts';

/** The text at a path, over own properties only; null when the path is missing or holds another type. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string | null {
  const found = getPath(value, path);
  return typeof found === 'string' ? found : null;
}

/** The object at a path; null when the path is missing or holds another type. */
export function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject | null {
  const found = getPath(value, path);
  return isJsonObject(found) ? found : null;
}

/** The id at a path, as text: providers write them as numbers here and as texts there. An empty text counts as missing. */
export function idAt(value: JsonValue | undefined, ...path: readonly string[]): string | null {
  const found = getPath(value, path);
  if (typeof found === 'number' && Number.isSafeInteger(found)) return String(found);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The elements of the list at a path that are objects; empty when there is no list. */
export function objectsAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonObject[] {
  const found = getPath(value, path);
  return Array.isArray(found) ? found.filter(isJsonObject) : [];
}

/** Host and port of a URL; null when the text is not a URL. */
export function hostOf(address: string | null): string | null {
  if (address === null) return null;
  const known = hosts.get(address);
  if (known !== undefined) return known;
  const host = URL.parse(address)?.host || null;
  if (address.length > LONGEST_KEPT) return host;
  if (hosts.size >= MOST_HOSTS) hosts.clear();
  hosts.set(address, host);
  return host;
}

/** Deliveries name few addresses again and again, and `URL` takes longer to read one than the rest of an event. */
const hosts = new Map<string, string | null>();
const MOST_HOSTS = 500;
const LONGEST_KEPT = 500;

/** Whether an own key holds something: serialisers write keys without a value as null. */
export function hasValue(value: JsonObject, key: string): boolean {
  return Object.hasOwn(value, key) && value[key] !== null && value[key] !== undefined;
}

/** The moment at a path in epoch milliseconds, as ISO 8601 text (GitLab's with a space and `UTC`) or a number of milliseconds; null when there is none. */
export function timeAt(value: JsonValue | undefined, ...path: readonly string[]): number | null {
  const found = getPath(value, path);
  if (typeof found === 'number') return Number.isSafeInteger(found) ? found : null;
  if (typeof found !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(found)) return null;
  const hasZone = /(?:Z|UTC|[+-]\d\d:?\d\d)$/.test(found);
  const moment = Date.parse(hasZone ? found : `${found}Z`);
  return Number.isNaN(moment) ? null : moment;
}

/** The first text that is there and not empty. */
export function firstText(values: readonly (string | null | undefined)[]): string | null {
  return values.find((value) => value !== null && value !== undefined && value !== '') ?? null;
}

/** The first line of a text (the subject of a commit message), at most 500 characters; null when it is blank. */
export function firstLine(text: string | null): string | null {
  return text === null ? null : (text.trim().split('\n')[0] ?? '').trim().slice(0, 500) || null;
}
