import { readServerSentEvents, type ServerSentEvent } from '../../../lib/http/sse.ts';
import type { Environment } from '../../../lib/process/subprocess.ts';
import { pause } from '../../../lib/time.ts';
import type { Headers } from '../../../types.ts';
import { createDispatcher, networkReason, send } from '../../http.ts';
import { RELAY_HEADER } from '../../relay.ts';
import type { SmeeSettings } from '../../settings.ts';
import { type OpenContext, TunnelFailure } from '../../tunnel.ts';

const TIMEOUT_MS = 15_000;

/**
 * Asks a smee or gosmee server (default choice: `https://smee.io`) for a new channel and returns its URL. smee.io
 * answers `/new` with a redirect to it, gosmee with the URL as text. Anyone who knows the URL can listen and post.
 * Throws `TunnelFailure`.
 */
export async function createSmeeChannel(serverUrl: string, env: Environment): Promise<string> {
  const server = serverUrl.replace(/\/+$/, '');
  const url = await askForChannel(server, env);
  if (url !== null) return url;
  throw new TunnelFailure(`${server} made no channel: it is no smee or gosmee server`, {
    fix: 'Use https://smee.io, or your own server.',
  });
}

async function askForChannel(server: string, env: Environment): Promise<string | null> {
  try {
    const { status, headers, text } = await send(`${server}/new`, { env, timeoutMs: TIMEOUT_MS });
    const told = status >= 300 && status < 400 ? headers.location : text.trim();
    const url = URL.parse(told ?? '', server);
    const isChannel = status < 400 && url !== null && /^\/[a-zA-Z0-9_-]{8,128}$/.test(url.pathname);
    return isChannel && /^https?:$/.test(url.protocol) ? `${url.origin}${url.pathname}` : null;
  } catch (error) {
    throw new TunnelFailure(`${server} does not answer: ${networkReason(error)}`, { cause: error });
  }
}

const GREETING_TIMEOUT_MS = 20_000;
/** gosmee takes bodies of 25 MiB, which are a third longer as base64; headers come on top. */
const LONGEST_EVENT = 40 * 1024 * 1024;
const LONGEST_RETRY_AFTER_S = 300;

export interface RelayStream {
  /** The greeting, or on a resumed connection perhaps already a request. */
  readonly first: ServerSentEvent;
  /** All events, the first included; throws what the network throws. */
  readonly events: AsyncIterable<ServerSentEvent>;
  close(): Promise<void>;
}

/** Listens at a channel: smee.io streams under the channel's URL, gosmee under `/events/<channel>`. */
export async function subscribe(context: OpenContext<SmeeSettings>): Promise<RelayStream> {
  const { url } = context.settings;
  const gosmeeUrl = url.replace(/\/([^/]+)\/?$/, '/events/$1');
  const stream = (await listen(context, url)) ?? (await listen(context, gosmeeUrl));
  if (stream !== null) return stream;
  throw new TunnelFailure(`${url} is no channel: it answers with something else than a stream of events`, {
    fix: 'Make a channel with "hookctl tunnel new smee" and use its URL.',
  });
}

/** Null when the address answers, but not with a stream. */
async function listen(context: OpenContext<SmeeSettings>, url: string): Promise<RelayStream | null> {
  const { request } = await import('undici');
  const dispatcher = await createDispatcher(context.env);
  const greeted = new AbortController();
  const tooLate = new AbortController();
  const signal = AbortSignal.any([context.signal, tooLate.signal]);
  void pause(
    context.clock.scaled(GREETING_TIMEOUT_MS),
    AbortSignal.any([context.signal, greeted.signal]),
  ).then((passed) => passed && tooLate.abort(new Error('no greeting in time')));
  const close = () => dispatcher.destroy();
  try {
    const answer = await request(url, { headers: requestHeaders(context), dispatcher, signal });
    if (!isStream(answer.statusCode, answer.headers['content-type'])) {
      await close();
      refuse(context, url, answer.statusCode, answer.headers['retry-after']);
      return null;
    }
    const onBytes = () => context.report({ kind: 'alive' });
    const events = readServerSentEvents(answer.body, { maxLength: LONGEST_EVENT, onBytes });
    const { value: first, done } = await events.next();
    if (done) throw new TunnelFailure(`${url} closed the stream before it began`);
    return { first, events: startingWith(first, events), close };
  } catch (error) {
    await close();
    if (error instanceof TunnelFailure) throw error;
    throw new TunnelFailure(`${url}: ${networkReason(error)}`, { cause: error });
  } finally {
    greeted.abort();
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function requestHeaders({ resumeAfter }: OpenContext): Record<string, string> {
  // smee.io streams only to this very value; with `, */*` behind it, it sends its web page.
  const headers = { accept: 'text/event-stream', 'user-agent': 'hookctl' };
  return resumeAfter === null ? headers : { ...headers, 'last-event-id': resumeAfter };
}

function isStream(status: number, contentType: string | string[] | undefined): boolean {
  return status === 200 && String(contentType).startsWith('text/event-stream');
}

/** Throws on a status that asks to come back later; returns on those that a wrong dialect gives. */
function refuse(
  context: OpenContext<SmeeSettings>,
  url: string,
  status: number,
  retryAfter: string | string[] | undefined,
): void {
  if ([200, 404, 405, 406].includes(status)) return;
  // gosmee answers 400 to a position that it does not understand; it would do so for ever.
  if (status === 400 && context.resumeAfter !== null) context.report({ kind: 'position', id: null });
  const seconds = Number(retryAfter);
  const retryAfterMs = seconds > 0 ? Math.min(seconds, LONGEST_RETRY_AFTER_S) * 1000 : 0;
  throw new TunnelFailure(`${url} answered ${status}`, { retryAfterMs });
}

/** What a relay's event says. */
export type RelayEvent =
  /** Greetings and keep-alives. */
  | { readonly kind: 'control' }
  /** The relay no longer has all that came since the last connection. */
  | { readonly kind: 'gap'; readonly detail: string }
  | { readonly kind: 'request'; readonly request: RelayedRequest }
  | { readonly kind: 'unreadable'; readonly detail: string };

/** A webhook request, as far as the relay kept it. */
export interface RelayedRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** With `?`; empty when the URL has no query. */
  readonly query: string;
  /** False: the relay parsed the body and wrote it anew. */
  readonly byteExact: boolean;
}

/** Of the connection to the relay, or of the body as it was on the wire: not for the request that we make. */
const DROPPED = new Set(
  `host connection keep-alive transfer-encoding content-length content-encoding te trailer upgrade expect
  proxy-authorization proxy-connection accept-encoding body bodyb query timestamp`.split(/\s+/),
);
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Reads both dialects. smee.io: headers, `query`, parsed `body`, `timestamp` as a number, flat in one object
 * (`lib/server` at 922d925); gosmee: headers, `timestamp` as text, and `bodyB`, the bytes in base64
 * (`gosmee/server.go` at v0.32.0).
 */
export function readRelayEvent({ event, data }: ServerSentEvent): RelayEvent {
  if (event === 'ready' || event === 'ping' || data === 'ready') return { kind: 'control' };
  const fields = parseObject(data);
  if (fields === null) return { kind: 'unreadable', detail: 'an event is no JSON object' };
  if (event === 'gosmee-gap') return { kind: 'gap', detail: gapDetail(fields) };
  if (fields.encrypted === true) return { kind: 'unreadable', detail: 'the channel is encrypted' };
  if (typeof fields.bodyB === 'string') {
    return { kind: 'request', request: requestOf(fields, Buffer.from(fields.bodyB, 'base64'), true) };
  }
  if (fields.body !== undefined) {
    // What the relay's own JSON.stringify made of it; the bytes that were signed are gone.
    return { kind: 'request', request: requestOf(fields, Buffer.from(JSON.stringify(fields.body)), false) };
  }
  return typeof fields.message === 'string'
    ? { kind: 'control' }
    : { kind: 'unreadable', detail: 'an event has no body' };
}

/** Whether the server that greets like this keeps bodies as they are: gosmee does, and says `connected`. */
export function keepsBytes(first: ServerSentEvent): boolean {
  const read = readRelayEvent(first);
  if (read.kind === 'request') return read.request.byteExact;
  return first.event === 'gosmee-gap' || parseObject(first.data)?.message !== undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function requestOf(fields: Fields, body: Uint8Array, byteExact: boolean): RelayedRequest {
  const headers = Object.entries(fields).flatMap(([name, value]) =>
    isHeader(name, value) ? [[name, value] as const] : [],
  );
  return { headers: Object.fromEntries(headers), body, query: queryOf(fields.query), byteExact };
}

/** Anybody may post to a channel, so nothing of it is trusted: least of all our own mark. */
function isHeader(name: string, value: unknown): value is string {
  const isSafe = HEADER_NAME.test(name) && typeof value === 'string' && HEADER_VALUE.test(value);
  return isSafe && !DROPPED.has(name) && name !== RELAY_HEADER;
}

function queryOf(query: unknown): string {
  if (typeof query !== 'object' || query === null) return '';
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  return params.size === 0 ? '' : `?${params}`;
}

function gapDetail(fields: Fields): string {
  const from = typeof fields.requested_id === 'string' ? ` after ${fields.requested_id}` : '';
  return `the relay no longer has all events${from}: redeliver what is missing at the sender`;
}

function parseObject(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
  } catch {
    return null;
  }
}
