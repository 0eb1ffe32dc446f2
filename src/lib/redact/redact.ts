import { inspect } from 'node:util';
import type { Secret } from '../../types.ts';
import { codesOf, withoutShapes } from './secret-shapes.ts';

/** Replaces a secret. */
export const REDACTED = '[redacted]';

/** Shorter values are not looked for: they would be found in words that are no secrets. */
const SHORTEST = 8;
/** Of the table that is asked first; a power of two. */
const PLACES = 65_536;
/** By so many characters a place is recognised where a secret may begin. */
const PROBE = 4;

/** Longer messages are no phrases that come again. */
const LONGEST_KNOWN = 200;
const MOST_KNOWN = 1_000;

/** Takes secrets out of what is about to be printed, logged, stored or answered. */
export interface Redactor {
  /** Looks for these from now on, in place of those of the same origin. They are read when they are needed. */
  learn(origin: string, secrets: () => Iterable<string>): void;
  /** No longer looks for this value: to show it is what the user asked for. */
  reveal(secret: string): void;
  /** For data, which must stay what it is: takes out the secrets that are known, and nothing else. */
  redactKnown(text: string): string;
  /** For messages: takes out what is known and whatever looks like a secret. */
  redact(text: string): string;
}

/** Knows at first what the environment holds. */
export function createRedactor(env: Readonly<Record<string, string | undefined>>): Redactor {
  const index: Index = { begins: new Uint8Array(PLACES), byBegin: new Map() };
  const origins = new Map<string, ReadonlySet<string>>();
  const revealed = new Set<string>();
  /** Cache of short messages: thousands of deliveries share the same reason. */
  const clean = new Map<string, string>();
  const unread = new Map<string, () => Iterable<string>>([['environment', () => secretsOfEnvironment(env)]]);

  function read(): void {
    for (const [origin, secrets] of unread) {
      const former = origins.get(origin) ?? new Set();
      const latter = new Set(secrets());
      origins.set(origin, latter);
      for (const secret of latter) if (!former.has(secret) && !revealed.has(secret)) addSecret(index, secret);
      for (const secret of former) if (!isKnown(secret)) removeSecret(index, secret);
    }
    unread.clear();
    clean.clear();
  }

  function isKnown(secret: string): boolean {
    return [...origins.values()].some((secrets) => secrets.has(secret));
  }

  function redactKnown(text: string): string {
    if (unread.size > 0) read();
    return withoutKnown(text, index);
  }

  function redact(text: string): string {
    if (unread.size > 0) read();
    if (text.length > LONGEST_KNOWN) return withoutShapes(withoutKnown(text, index), REDACTED);
    const known = clean.get(text);
    if (known !== undefined) return known;
    const made = withoutShapes(withoutKnown(text, index), REDACTED);
    if (clean.size >= MOST_KNOWN) clean.clear();
    clean.set(text, made);
    return made;
  }

  return {
    learn: (origin, secrets) => void unread.set(origin, secrets),
    reveal(secret) {
      revealed.add(secret);
      removeSecret(index, secret);
      clean.clear();
    },
    redactKnown,
    redact,
  };
}

/** Secrets by their first characters; beside them a table that is asked for every place of a text, and may err once. */
interface Index {
  readonly begins: Uint8Array;
  readonly byBegin: Map<string, Alike>;
}

/** Those that begin alike, found by their lengths, the longest first: many may have a prefix in common. */
interface Alike {
  readonly forms: Set<string>;
  lengths: readonly number[];
}

function addSecret(index: Index, secret: string): void {
  if (secret.length >= SHORTEST) for (const form of formsOf(secret)) addForm(index, form);
}

function removeSecret({ byBegin }: Index, secret: string): void {
  for (const form of formsOf(secret)) byBegin.get(form.slice(0, PROBE))?.forms.delete(form);
}

function addForm({ begins, byBegin }: Index, form: string): void {
  const begin = form.slice(0, PROBE);
  const alike = byBegin.get(begin) ?? { forms: new Set(), lengths: [] };
  byBegin.set(begin, alike);
  let hash = 0;
  for (let at = 0; at < begin.length; at += 1) hash = hashOn(hash, begin.charCodeAt(at) & 255);
  begins[hash] = 1;
  alike.forms.add(form);
  if (!alike.lengths.includes(form.length))
    alike.lengths = [...alike.lengths, form.length].sort((a, b) => b - a);
}

/** A secret as JSON, a URL or a Basic header writes it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    base64,
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}

function withoutKnown(text: string, { begins, byBegin }: Index): string {
  if (byBegin.size === 0) return text;
  let clean = '';
  let copied = 0;
  let hash = 0;
  const codes = codesOf(text);
  for (let last = 0; last < text.length; last += 1) {
    hash = hashOn(hash, codes[last] ?? 0);
    if (begins[hash] === 0) continue;
    const at = last - PROBE + 1;
    const length = at < copied ? null : lengthAt(text, at, byBegin.get(text.slice(at, last + 1)));
    if (length === null) continue;
    clean += text.slice(copied, at) + REDACTED;
    copied = at + length;
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

function lengthAt(text: string, at: number, alike: Alike | undefined): number | null {
  return alike?.lengths.find((length) => alike.forms.has(text.slice(at, at + length))) ?? null;
}

/** A hash of the last `PROBE` characters, carried from one to the next: what came before them is shifted out. */
function hashOn(hash: number, code: number): number {
  return ((hash << 5) ^ code) & (PLACES - 1);
}

/** A URL without the user and password in it. */
export function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, `$1${REDACTED}@`);
}

/** Variables of an environment whose names say that they hold secrets. */
function secretsOfEnvironment(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && value ? [value.trim()] : [],
  );
}

const SECRET_NAME = /(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/i;

/**
 * A secret as it was read from a variable, a file or a stream, without the line ends around it: `$(cat file)` takes
 * them away, other ways of reading do not, and no sender has a line end in its secret.
 */
export function withoutLineEnds(text: string): string {
  return text.replace(/^[\r\n]+/, '').replace(/[\r\n]+$/, '');
}

/**
 * Wraps a secret so that no log line, JSON, template string or stack trace can show it by accident: only
 * `reveal()` does, and a reader can find every call of it.
 */
export function secret(value: string): Secret {
  return {
    reveal: () => value,
    toString: () => REDACTED,
    toJSON: () => REDACTED,
    [inspect.custom]: () => REDACTED,
  } as Secret;
}
