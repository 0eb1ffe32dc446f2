import type { JsonWebKey, KeyObject } from 'node:crypto';
import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { JsonObject, JsonValue, RawRequest, Verdict } from '../../types.ts';
import { refused } from '../kit/signature.ts';
import { anyPublicKey } from './key-pairs.ts';
import { type Locator, valueAt } from './locator.ts';
import { unverifiedPayload } from './signed-content.ts';

/** Where a sender publishes its keys. */
export interface KeySource {
  /** A URL, in which `{kid}` may be, or the place at which a request names one. */
  readonly at: string | Locator;
  /** Hosts from which a place may name a key; a `*` is one label. */
  readonly hosts: readonly string[];
  /** What is posted to the URL, with `{kid}` and `{secret}`; null for a GET. */
  readonly body: string | null;
}

/** A document of keys, as far as it is known. Times are of `performance.now()`. */
interface Known {
  keys: ReadonlyMap<string, KeyObject> | null;
  /** When it came. */
  at: number;
  /** Before this it is not asked for again. */
  next: number;
  isFetching: boolean;
  problem: string;
}

/** Kept keys are asked for again after an hour, in the background, and count for a day when that fails. */
const FRESH_MS = 3_600_000;
const KEPT_MS = 24 * FRESH_MS;
/** Between two fetches of one document: each request may name a key that is in none. */
const PAUSE_MS = 10_000;
const DEADLINE_MS = 5_000;
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;
/** A stranger may name as many documents as there are URLs. */
const MAX_DOCUMENTS = 64;
const MAX_WAITING = 8;

const documents = new Map<string, Known>();
let waiting = 0;
let last: Promise<void> = Promise.resolve();

type Wanted =
  | { readonly ok: true; readonly keys: readonly KeyObject[] }
  | { readonly ok: false; readonly verdict: Verdict };

/**
 * The keys that may have signed a request: that of `kid`, or all. Never waits: what is not there yet is fetched in the
 * background, and the verdict says so.
 */
export function remoteKeys(
  source: KeySource,
  request: RawRequest,
  {
    kid,
    secret = '',
    formField = '',
  }: { readonly kid: string | null; readonly secret?: string; readonly formField?: string },
): Wanted {
  const url = urlFor(source, request, { kid, formField });
  if (url === null) {
    return {
      ok: false,
      verdict: refused('signature_malformed', 'the request names no key at a host of keyHosts'),
    };
  }
  const body = source.body?.replaceAll('{kid}', kid ?? '').replaceAll('{secret}', inJson(secret)) ?? null;
  const document = lookUp(url, body, kid);
  const { keys, problem } = document;
  const now = performance.now();
  const isKept = keys !== null && now < document.at + KEPT_MS;
  const named = kid === null ? undefined : keys?.get(kid);
  // A document of one key, or one in which keys have no ids, is what the sender named already.
  const fitting =
    named !== undefined ? [named] : kid === null || keys?.has('') ? [...(keys?.values() ?? [])] : [];
  if (isKept && now >= document.at + FRESH_MS) fetchLater(document, url, body);
  if (isKept && fitting.length > 0) return { ok: true, keys: fitting };
  // A key that is too new to be in it: asked for again, unless that was just done.
  if (isKept && now < document.next && !document.isFetching) {
    return {
      ok: false,
      verdict: refused('signature_wrong', `${hostOf(url)} has no key of the id that the request names`),
    };
  }
  fetchLater(document, url, body);
  const detail =
    problem === ''
      ? `the key is being fetched from ${hostOf(url)}`
      : `no key from ${hostOf(url)} yet: ${problem}`;
  return { ok: false, verdict: refused('key_pending', detail) };
}

/** Fetches ahead what needs nothing of a request. */
export function prefetch({ at, body }: KeySource): void {
  if (typeof at !== 'string' || at.includes('{') || body !== null) return;
  fetchLater(lookUp(at, null, null), at, null);
}

function urlFor(
  { at, hosts }: KeySource,
  request: RawRequest,
  { kid, formField }: { readonly kid: string | null; readonly formField: string },
): string | null {
  if (typeof at === 'string') {
    const isWord = kid !== null && /^[\w.~-]{1,200}$/.test(kid);
    return !at.includes('{kid}') ? at : isWord ? at.replaceAll('{kid}', kid) : null;
  }
  const payload = at.in === 'payload' ? unverifiedPayload(request, formField) : {};
  const named = valueAt(at, request.headers, payload);
  const url = named === null ? null : URL.parse(named);
  // A query could make an answer of a host's API look like a key.
  const isPlain =
    url !== null && url.search === '' && url.username === '' && url.password === '' && isProtected(url);
  return isPlain && hosts.some((pattern) => fitsHost(pattern, url.host)) ? url.href : null;
}

/** Over https, or on this machine. */
export function isProtected({ protocol, hostname }: URL): boolean {
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  );
}

function fitsHost(pattern: string, host: string): boolean {
  const labels = pattern.toLowerCase().split('.');
  const found = host.split('.');
  return (
    labels.length === found.length && labels.every((label, index) => label === '*' || label === found[index])
  );
}

/** A secret inside a text of the JSON that is posted. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function lookUp(url: string, body: string | null, kid: string | null): Known {
  const name = body === null ? url : `${url} ${kid}`;
  const known = documents.get(name);
  if (known !== undefined) return known;
  if (documents.size >= MAX_DOCUMENTS) forgetOne();
  const fresh: Known = { keys: null, at: 0, next: 0, isFetching: false, problem: '' };
  documents.set(name, fresh);
  return fresh;
}

/** One that brought no keys if there is such, else the oldest. */
function forgetOne(): void {
  const [oldest] = documents.keys();
  const empty = [...documents].find(([, { keys, isFetching }]) => keys === null && !isFetching)?.[0];
  const name = empty ?? oldest;
  if (name !== undefined) documents.delete(name);
}

/** One fetch at a time, few waiting. */
function fetchLater(document: Known, url: string, body: string | null): void {
  if (document.isFetching || performance.now() < document.next || waiting >= MAX_WAITING) return;
  document.isFetching = true;
  waiting += 1;
  last = last.then(async () => {
    const found = await fetchKeys(url, body).catch((error: unknown) =>
      String((error as Error).message || error),
    );
    waiting -= 1;
    const now = performance.now();
    const isFound = typeof found !== 'string';
    if (isFound) Object.assign(document, { keys: found, at: now });
    Object.assign(document, { next: now + PAUSE_MS, isFetching: false, problem: isFound ? '' : found });
  });
}

/** The keys of a document, or why there are none. */
async function fetchKeys(url: string, body: string | null): Promise<ReadonlyMap<string, KeyObject> | string> {
  const { request } = await import('undici');
  const answer = await request(url, {
    method: body === null ? 'GET' : 'POST',
    headers: body === null ? {} : { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return `the document is over ${MAX_BYTES} bytes`;
    chunks.push(chunk);
  }
  if (answer.statusCode !== 200) return `it answers ${answer.statusCode}`;
  const keys = keysIn(Buffer.concat(chunks));
  return keys.size === 0 ? 'its answer holds no key that can be read' : keys;
}

/** JWKS, one JWK (also as `key`), PEM by id, or a PEM alone, which has the id ''. */
function keysIn(bytes: Uint8Array): ReadonlyMap<string, KeyObject> {
  const json = parseJson(bytes);
  const entries: readonly (readonly [string, JsonValue | undefined])[] = json.ok
    ? jwksEntries(json.value)
    : [['', Buffer.from(bytes).toString().trim()]];
  const read = entries.slice(0, MAX_KEYS).flatMap(([id, written]) => {
    const text = isJsonObject(written) ? JSON.stringify(written) : written;
    const isKey = typeof text === 'string' && /^(?:\{|-----BEGIN )/.test(text);
    const key = isKey ? anyPublicKey(text) : null;
    return key === null ? [] : [[id, key] as const];
  });
  return new Map(read);
}

function jwksEntries(document: JsonObject): readonly (readonly [string, JsonValue | undefined])[] {
  const { keys, key } = document;
  if (Array.isArray(keys)) return keys.map((each, index) => [idOf(each) ?? `#${index}`, each]);
  if (isJsonObject(key)) return [[idOf(key) ?? '', key]];
  return typeof (document as JsonWebKey).kty === 'string'
    ? [[idOf(document) ?? '', document]]
    : Object.entries(document);
}

function idOf(key: JsonValue): string | null {
  return isJsonObject(key) && typeof key.kid === 'string' ? key.kid : null;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'its host';
}
