import { isUtf8 } from 'node:buffer';
import { messageOf } from '../errors.ts';
import type { JsonObject, JsonValue } from '../types.ts';
import { escapeInvisibleLine } from './text/escape-invisible.ts';

/** Deeper nesting is refused: `JSON.stringify` overflows the stack at 10,000 levels, which fit in 20 KB. */
export const MAX_DEPTH = 64;
/** More keys than this in one document are refused; GitHub's largest payloads stay below 10,000. */
export const MAX_KEYS = 50_000;

/** More values, empty objects and empty lists are refused: 24 MB of `{}` hold the event loop for seconds. */
export const MAX_VALUES = 100_000;

export type JsonResult =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses a request body by a strict policy: fatal UTF-8 without BOM, nesting ≤ 64, at most 50,000 keys and 100,000 values, no key twice
 * in an object, neither NUL nor lone surrogates in keys, an object at the top. Never throws; `reason` says in words
 * what is wrong and, where known, at which character (1-based). Everything else is as `JSON.parse` has it: a key
 * `__proto__` is an own property like any other.
 */
export function parseJson(bytes: Uint8Array): JsonResult {
  const parsed = parseJsonValue(bytes);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  return isJsonObject(value) ? { ok: true, value } : refuse('the top level is not an object');
}

type JsonValueResult =
  | { readonly ok: true; readonly value: JsonObject | readonly JsonValue[] }
  | { readonly ok: false; readonly reason: string };

/** The same for an object or a list at the top. */
export function parseJsonValue(bytes: Uint8Array): JsonValueResult {
  const text = decode(bytes);
  if (text === null) return refuse('the body is not valid UTF-8');
  if (text.charCodeAt(0) === 0xfeff) return refuse('the body starts with a byte order mark');
  const sound = parseSound(text, bytes);
  if (sound !== null) return { ok: true, value: sound };
  const scan = scanStructure(text);
  if (!scan.ok) return scan;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(syntaxReason(messageOf(error)));
  }
  if (!isComposite(value)) return refuse('the top level is not an object or a list');
  // A key that came twice is once in the value, so that the counts differ: cheaper than a set per object.
  const keys = countKeys(value);
  if (keys !== scan.keys) return refuse('an object has the same key twice');
  if (SUSPECT_ESCAPE.test(text) && hasIllFormedKey(value)) {
    return refuse('a key contains NUL or half of a surrogate pair');
  }
  return { ok: true, value };
}

/** The bytes behind a byte order mark in UTF-8, which .NET and Windows senders write before their JSON (RFC 8259, 8.1). */
export function withoutBom(bytes: Uint8Array): Uint8Array {
  const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasBom ? bytes.subarray(3) : bytes;
}

function isComposite(value: JsonValue): value is JsonObject | readonly JsonValue[] {
  return typeof value === 'object' && value !== null;
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

/** The values at a path where a name inside an array is that field of all its elements, as in MongoDB. */
export function valuesAt(value: JsonValue | undefined, path: readonly string[]): readonly JsonValue[] {
  const [segment, ...rest] = path;
  if (segment === undefined) return value === undefined ? [] : [value];
  if (!Array.isArray(value) || /^\d+$/.test(segment)) return valuesAt(getOwn(value, segment), rest);
  return (value as readonly JsonValue[]).flatMap((item) => valuesAt(item, path));
}

function getOwn(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** After a fatal UTF-8 decoding only an escape can bring NUL or a lone surrogate into a string. */
const SUSPECT_ESCAPE = /\\u(?:0000|[dD][89a-fA-F])/;

function decode(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}

/** A longer text is scanned before it is parsed. */
const QUICK_LENGTH = 256 * 1024;

/**
 * The value of a document without faults; null when that is not certain, so that the caller scans the structure.
 * Each key and each text has two quotation marks in the document; when a key came twice, the value has fewer of
 * them than the document. Counting marks takes a fraction of the time of reading the structure.
 */
function parseSound(text: string, bytes: Uint8Array): JsonObject | readonly JsonValue[] | null {
  if (text.length > QUICK_LENGTH || (text.includes('\\u') && SUSPECT_ESCAPE.test(text))) return null;
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isComposite(value)) return null;
  const tally: Tally = { keys: 0, texts: 0, values: 0 };
  if (!fits(value, 1, tally) || tally.keys > MAX_KEYS || tally.values > MAX_VALUES) return null;
  return 2 * (tally.keys + tally.texts) === countQuotes(bytes) - countEscapedQuotes(text) ? value : null;
}

interface Tally {
  keys: number;
  texts: number;
  values: number;
}

/** Counts keys, texts and values; false when the nesting is too deep. */
function fits(value: object, depth: number, tally: Tally): boolean {
  if (depth > MAX_DEPTH) return false;
  let count = 0;
  if (Array.isArray(value)) {
    for (; count < value.length; count += 1) if (!itemFits(value[count], depth, tally)) return false;
  } else {
    // Without a list of the values, which would be garbage for each object of each body.
    const fields = value as JsonObject;
    for (const key in fields) {
      count += 1;
      if (!itemFits(fields[key], depth, tally)) return false;
    }
    tally.keys += count;
  }
  tally.values += Math.max(1, count);
  return true;
}

function itemFits(item: unknown, depth: number, tally: Tally): boolean {
  if (typeof item === 'string') tally.texts += 1;
  return typeof item !== 'object' || item === null || fits(item, depth + 1, tally);
}

/** Four bytes at a time, which takes a third of the time of one by one. */
function countQuotes(bytes: Uint8Array): number {
  const { buffer, byteOffset, length } = bytes;
  const start = Math.min(length, -byteOffset & 3);
  const whole = (length - start) >>> 2;
  // The shortest bodies end before the next word begins, and no view may start there.
  const words = whole === 0 ? new Int32Array(0) : new Int32Array(buffer, byteOffset + start, whole);
  const end = start + words.length * 4;
  let count = 0;
  for (let i = 0; i < words.length; i++) count += quotesIn(words[i] ?? 0);
  for (let i = 0; i < start; i++) if (bytes[i] === QUOTE) count += 1;
  for (let i = end; i < length; i++) if (bytes[i] === QUOTE) count += 1;
  return count;
}

/** How many of the four bytes of a word are quotation marks: those that are zero once their bits are taken away. */
function quotesIn(word: number): number {
  const rest = word ^ 0x22222222;
  const nonzero = ((rest & 0x7f7f7f7f) + 0x7f7f7f7f) | rest;
  return Math.imul((~nonzero >>> 7) & 0x01010101, 0x01010101) >>> 24;
}

/** In a valid document a backslash occurs only in strings, and escapes the next character. */
function countEscapedQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at + 2)) {
    if (text.charCodeAt(at + 1) === QUOTE) count += 1;
  }
  return count;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Counts keys (each has one colon outside strings), values (commas and openings) and levels, before anything recursive sees the document. */
function scanStructure(text: string): { ok: true; keys: number } | { ok: false; reason: string } {
  let depth = 0;
  let keys = 0;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
    } else if (code === COLON) {
      if (++keys > MAX_KEYS) return refuse(`more than ${MAX_KEYS} keys, at character ${i + 1}`);
    } else if (code === COMMA) {
      if (++values > MAX_VALUES) return tooManyValues(i);
    } else if (isOpening(code)) {
      if (++values > MAX_VALUES) return tooManyValues(i);
      if (++depth > MAX_DEPTH) return refuse(`nested deeper than ${MAX_DEPTH} levels, at character ${i + 1}`);
    } else if (isClosing(code)) depth--;
  }
  return { ok: true, keys };
}

function tooManyValues(at: number) {
  return refuse(`more than ${MAX_VALUES} values, at character ${at + 1}`);
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
    : escapeInvisibleLine(`not valid JSON: ${message.replace(/, (?:\.\.\.)?".*$/s, '')}`);
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
