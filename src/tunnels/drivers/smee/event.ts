import type { ServerSentEvent } from '../../../lib/http/sse.ts';
import type { Headers } from '../../../types.ts';
import { RELAY_HEADER } from '../relay.ts';

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
  /** With `?`; empty when there is none. */
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
