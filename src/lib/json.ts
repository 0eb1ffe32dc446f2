import { messageOf } from '../errors.ts';
import type { JsonObject, JsonValue } from '../types.ts';
import { visibleLine } from './visible.ts';

/** Deeper nesting is refused: `JSON.stringify` overflows the stack at 10,000 levels, which fit in 20 KB. */
export const MAX_DEPTH = 64;
/** More keys than this in one document are refused; GitHub's largest payloads stay below 10,000. */
export const MAX_KEYS = 50_000;

export type JsonResult =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses a request body by a strict policy: fatal UTF-8 without BOM, nesting ≤ 64, at most 50,000 keys, no key twice
 * in an object, neither NUL nor lone surrogates in keys, an object at the top. Never throws; `reason` says in words
 * what is wrong and, where known, at which character (1-based). Everything else is as `JSON.parse` has it: a key
 * `__proto__` is an own property like any other.
 */
export function parseJson(bytes: Uint8Array): JsonResult {
  const text = decode(bytes);
  if (text === null) return refuse('the body is not valid UTF-8');
  if (text.charCodeAt(0) === 0xfeff) return refuse('the body starts with a byte order mark');
  const scan = scanStructure(text);
  if (!scan.ok) return scan;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(syntaxReason(messageOf(error)));
  }
  if (!isJsonObject(value)) return refuse('the top level is not an object');
  // A key that came twice is once in the value, so that the counts differ: cheaper than a set per object.
  const keys = countKeys(value);
  if (keys !== scan.keys) return refuse('an object has the same key twice');
  if (SUSPECT_ESCAPE.test(text) && hasIllFormedKey(value)) {
    return refuse('a key contains NUL or half of a surrogate pair');
  }
  return { ok: true, value };
}

/** True for a JSON object; false for arrays and null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, over own properties and array indexes only; undefined when there is none. */
export function getPath(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const segment of path) current = getOwn(current, segment);
  return current;
}

function getOwn(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** After a fatal UTF-8 decoding only an escape can bring NUL or a lone surrogate into a string. */
const SUSPECT_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/;

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Counts keys (each has one colon outside strings) and levels, before anything recursive sees the document. */
function scanStructure(text: string): { ok: true; keys: number } | { ok: false; reason: string } {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
    } else if (code === COLON) {
      if (++keys > MAX_KEYS) return refuse(`more than ${MAX_KEYS} keys, at character ${i + 1}`);
    } else if (isOpening(code)) {
      if (++depth > MAX_DEPTH) return refuse(`nested deeper than ${MAX_DEPTH} levels, at character ${i + 1}`);
    } else if (isClosing(code)) depth--;
  }
  return { ok: true, keys };
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return text.length;
}

/** `[` or `{`: they differ in one bit. */
function isOpening(code: number): boolean {
  return (code | 0x20) === 0x7b;
}

/** `]` or `}`. */
function isClosing(code: number): boolean {
  return (code | 0x20) === 0x7d;
}

function countKeys(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const item of Object.values(value)) count += 1 + countKeys(item);
  return count;
}

function hasIllFormedKey(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value) && Object.keys(value).some((key) => key.includes('\0') || !key.isWellFormed())) {
    return true;
  }
  return Object.values(value).some(hasIllFormedKey);
}

/** V8's message without the excerpt of the document that it quotes: reasons are stored and printed. */
function syntaxReason(message: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return `not valid JSON at character ${Number(position) + 1}`;
  return /end of JSON input/.test(message)
    ? 'not valid JSON: it ends too early'
    : visibleLine(`not valid JSON: ${message.replace(/, (?:\.\.\.)?".*$/s, '')}`);
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
