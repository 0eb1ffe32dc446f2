import type { JsonWebKey, KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { JsonObject, JsonValue, RawRequest, Verdict } from '../../types.ts';
import { refused } from '../kit/signature.ts';
import { certificatesIn, expiryOf, trustProblem } from './certificates.ts';
import { anyPublicKey } from './key-pairs.ts';
import { type Locator, valueAt } from './locator.ts';
import { unverifiedPayload } from './signed-content.ts';

/** Where a sender publishes its keys. */
export interface KeySource {
  /** A URL, in which `{kid}` may be, or the place at which a request names one. */
  readonly at: string | Locator;
  /** Hosts from which a place may name a key, and a certificate its issuer; a `*` is one label. */
  readonly hosts: readonly string[];
  /** Names of which a certificate has to have one; its issuers then have to lead to a root. None: its host is trusted alone. */
  readonly names: readonly string[];
  /** What is posted to the URL, with `{kid}` and `{secret}`; null for a GET. */
  readonly body: string | null;
}

/** What a document says. */
interface Content {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly text: string;
  /** When its certificate expires, in epoch milliseconds; infinite for a key without a certificate. */
  readonly expires: number;
}

/** A document of keys, as far as it is known. Times are of `performance.now()`. */
interface Known {
  content: Content | null;
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
/** So long a document on disk says what to fetch ahead. */
const FORGOTTEN_MS = 30 * KEPT_MS;
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
  const document = lookUp(nameOf(url, source, kid));
  const { problem } = document;
  const now = performance.now();
  const keys = document.content?.keys;
  const isKept = now < document.at + KEPT_MS && Date.now() < (document.content?.expires ?? 0);
  const named = kid === null ? undefined : keys?.get(kid);
  // A document of one key, or one in which keys have no ids, is what the sender named already.
  const fitting =
    named !== undefined ? [named] : kid === null || keys?.has('') ? [...(keys?.values() ?? [])] : [];
  if (isKept && now >= document.at + FRESH_MS) fetchLater(document, url, body, source);
  if (isKept && fitting.length > 0) return { ok: true, keys: fitting };
  // A key that is too new to be in it: asked for again, unless that was just done.
  if (isKept && now < document.next && !document.isFetching) {
    return {
      ok: false,
      verdict: refused('signature_wrong', `${hostOf(url)} has no key of the id that the request names`),
    };
  }
  fetchLater(document, url, body, source);
  const detail =
    problem === ''
      ? `the key is being fetched from ${hostOf(url)}`
      : `no key from ${hostOf(url)} yet: ${problem}`;
  return { ok: false, verdict: refused('key_pending', detail) };
}

/** Fetches ahead what needs nothing of a request, and what requests named before. */
export function prefetch(source: KeySource): void {
  const { at, body } = source;
  if (body !== null) return;
  if (typeof at === 'string' && !at.includes('{')) {
    fetchLater(lookUp(nameOf(at, source, null)), at, null, source);
  }
  for (const [name, document] of documents) {
    const [url = ''] = name.split(' ');
    const isStale = performance.now() >= document.at + FRESH_MS;
    if (isStale && name === nameOf(url, source, null) && isOf(source, url)) {
      fetchLater(document, url, null, source);
    }
  }
}

/** Whether a request may name this URL. */
function isOf({ at, hosts }: KeySource, url: string): boolean {
  if (typeof at !== 'string') return isAllowed(hosts, url);
  const [start = '', end = ''] = at.split('{kid}');
  return at.includes('{kid}') && url.startsWith(start) && url.endsWith(end);
}

/** A secret in the body of a fetch is no part of the name, the id of the key is. */
function nameOf(url: string, { body, names }: KeySource, kid: string | null): string {
  return [url, ...names, ...(body === null ? [] : [kid])].join(' ');
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
  return isPlain && isAllowed(hosts, url.href) ? url.href : null;
}

function isAllowed(hosts: readonly string[], url: string): boolean {
  return hosts.some((pattern) => fitsHost(pattern, hostOf(url)));
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

function lookUp(name: string): Known {
  const known = documents.get(name);
  if (known !== undefined) return known;
  if (documents.size >= MAX_DOCUMENTS) forgetOne();
  const fresh: Known = { content: null, at: -KEPT_MS, next: 0, isFetching: false, problem: '' };
  documents.set(name, fresh);
  return fresh;
}

/** One that brought no keys if there is such, else the oldest. */
function forgetOne(): void {
  const [oldest] = documents.keys();
  const empty = [...documents].find(([, { content, isFetching }]) => content === null && !isFetching)?.[0];
  const name = empty ?? oldest;
  if (name !== undefined) documents.delete(name);
}

/** One fetch at a time, few waiting. */
function fetchLater(document: Known, url: string, body: string | null, source: KeySource): void {
  if (document.isFetching || performance.now() < document.next || waiting >= MAX_WAITING) return;
  document.isFetching = true;
  waiting += 1;
  last = last.then(async () => {
    const found = await fetchKeys(url, body, source).catch(messageOf);
    waiting -= 1;
    const now = performance.now();
    const isFound = typeof found !== 'string';
    if (isFound) Object.assign(document, { content: found, at: now });
    Object.assign(document, { next: now + PAUSE_MS, isFetching: false, problem: isFound ? '' : found });
    if (isFound) await keep();
  });
}

let file: string | null = null;
let taken: Promise<void> = Promise.resolve();

/** From now on keeps documents in this file, so that a start needs no fetch; resolves when those in it are known. Never rejects. */
export function keepIn(path: string): Promise<void> {
  if (file === path) return taken;
  file = path;
  taken = takeUp(path).catch(() => undefined);
  return taken;
}

async function takeUp(path: string): Promise<void> {
  const kept = parseJson(await readFile(path));
  if (!kept.ok) return;
  for (const [name, entry] of Object.entries(kept.value)) {
    const { fetched_at: fetched, text } = isJsonObject(entry) ? entry : {};
    const age = Date.now() - Date.parse(String(fetched));
    const content = typeof text === 'string' ? contentOf(text) : null;
    // What came from the future was written under another clock.
    if (content !== null && age >= 0 && age < FORGOTTEN_MS && !documents.has(name)) {
      Object.assign(lookUp(name), { content, at: performance.now() - age });
    }
  }
}

/** What cannot be written is fetched again after the next start. */
async function keep(): Promise<void> {
  const entries = [...documents].flatMap(([name, { content, at }]) => {
    const fetched = new Date(Date.now() - performance.now() + at).toISOString();
    return content === null ? [] : [[name, { fetched_at: fetched, text: content.text }]];
  });
  const text = JSON.stringify(Object.fromEntries(entries), null, 2);
  if (file !== null) await writeFileAtomic(file, text, { durable: false }).catch(() => undefined);
}

/** What a document says, or why it says nothing. */
async function fetchKeys(
  url: string,
  body: string | null,
  { hosts, names }: KeySource,
): Promise<Content | string> {
  const bytes = await download(url, body);
  if (typeof bytes === 'string') return bytes;
  const text = bytes.toString();
  const fetchIssuer = async (from: string) =>
    isAllowed(hosts, from) ? download(from, null) : `${hostOf(from)} is no host of keyHosts`;
  const problem = names.length === 0 ? null : await trustProblem(certificatesIn(text), names, fetchIssuer);
  return problem ?? contentOf(text) ?? 'its answer holds no key that can be read';
}

async function download(url: string, body: string | null): Promise<Buffer | string> {
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
  return answer.statusCode === 200 ? Buffer.concat(chunks) : `it answers ${answer.statusCode}`;
}

/** Null when there is no key in it. */
function contentOf(text: string): Content | null {
  const keys = keysIn(text);
  const [certificate] = text.startsWith('{') ? [] : certificatesIn(text);
  const expires = certificate === undefined ? Number.POSITIVE_INFINITY : expiryOf(certificate);
  return keys.size === 0 ? null : { keys, text, expires };
}

/** JWKS, one JWK (also as `key`), PEM by id, or a PEM alone, which has the id ''. */
function keysIn(document: string): ReadonlyMap<string, KeyObject> {
  const json = parseJson(Buffer.from(document));
  const entries: readonly (readonly [string, JsonValue | undefined])[] = json.ok
    ? jwksEntries(json.value)
    : [['', document.trim()]];
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
