import type { Headers, RawRequest } from '../../types.ts';
import { DIGEST_BYTES, decodeDigits } from '../kit/signature.ts';
import { type Changes, idHeader, type Scheme, signatureHeader, timestampText } from './scheme.ts';
import { parseSignedContent, signedBytes } from './signed-content.ts';

/** Where senders put signatures. */
const SIGNATURE_HEADERS = [
  'x-hub-signature-256',
  'x-hub-signature',
  'webhook-signature',
  'svix-signature',
  'x-signature',
  'x-signature-256',
  'x-signature-sha256',
  'x-webhook-signature',
  'x-webhook-signature-256',
  'x-hmac-signature',
  'x-hmac-sha256',
  'x-shopify-hmac-sha256',
  'x-gitea-signature',
  'x-forgejo-signature',
  'x-gogs-signature',
  'x-slack-signature',
  'x-pagerduty-signature',
  'x-notion-signature',
  'x-signature-ed25519',
  'linear-signature',
  'sentry-hook-signature',
  'stripe-signature',
  'signature',
  'authorization',
];

/** Where senders put the time of signing. */
const TIMESTAMP_HEADERS = [
  'webhook-timestamp',
  'svix-timestamp',
  'x-timestamp',
  'x-signature-timestamp',
  'x-request-timestamp',
  'x-webhook-timestamp',
  'x-slack-request-timestamp',
];
/** Where senders put the id of a delivery. */
export const ID_HEADERS = [
  'webhook-id',
  'svix-id',
  'x-webhook-id',
  'x-request-id',
  'x-delivery-id',
  'x-message-id',
];

/** What senders sign, the usual first. */
const CONTENTS = [
  '{body}',
  '{timestamp}.{body}',
  '{id}.{timestamp}.{body}',
  '{timestamp}{body}',
  '{timestamp}:{body}',
  'v0:{timestamp}:{body}',
  '{payload}',
];

const MAX_CANDIDATES = 6;
const MAX_HEADER = 1024;

/** Something in a header that has the form of a signature. */
export interface Candidate {
  readonly header: string;
  /** What may be set as the prefix, the likeliest first: all text before the digits, or the word before them. */
  readonly prefixes: readonly string[];
  readonly encoding: Scheme['encoding'];
  readonly algorithm: Scheme['algorithm'];
  readonly bytes: Buffer;
}

/** Everything in the configured header, or else in others, that has as many bytes as a signature. */
export function candidatesFor(
  scheme: Scheme,
  { headers }: RawRequest,
  lengths: readonly number[],
): readonly Candidate[] {
  const configured = scheme.headers.filter((name) => headers[name]);
  const names = signatureHeader(scheme, headers)
    ? configured
    : SIGNATURE_HEADERS.filter((name) => headers[name]);
  return names.flatMap((name) => digitsIn(name, headers[name] ?? '', lengths)).slice(0, MAX_CANDIDATES);
}

/** Everything in a header that may be the digits of a digest of these lengths. */
export function digitsIn(header: string, value: string, lengths: readonly number[]): readonly Candidate[] {
  return value
    .slice(0, MAX_HEADER)
    .split(/[\s,;:]+/)
    .flatMap((element) => [element, element.slice(element.indexOf('=') + 1)])
    .filter((digits, index, all) => digits !== '' && all.indexOf(digits) === index)
    .flatMap((digits) => {
      const read = decoded(digits, lengths);
      return read === null ? [] : [{ header, prefixes: prefixesOf(value, digits), ...read }];
    });
}

function decoded(digits: string, lengths: readonly number[]): Omit<Candidate, 'header' | 'prefixes'> | null {
  for (const [algorithm, length] of Object.entries(DIGEST_BYTES) as [Scheme['algorithm'], number][]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const bytes = lengths.includes(length) ? decodeDigits(digits, encoding, length) : null;
      if (bytes !== null) return { algorithm, encoding, bytes };
    }
  }
  return null;
}

/** `sha256=`, `v1,`, `HMAC `, `sha256= `: a word and what is between it and the digits. */
function prefixesOf(value: string, digits: string): readonly string[] {
  const before = value.slice(0, value.indexOf(digits));
  const whole = /^(?:[A-Za-z][\w-]{0,30}[=,: ]{1,3})?$/.exec(before)?.[0] ?? [];
  return [...new Set([whole, /(?:[A-Za-z][\w-]*[=,: ])?$/.exec(before)?.[0] ?? ''].flat())];
}

/** Bytes that may have been signed. */
export interface SignedAlternative {
  readonly text: string;
  readonly parts: readonly (string | Uint8Array)[];
  /** Settings that it takes beside `signedContent`. */
  readonly settings: Changes;
}

/** What may have been signed, with what the request brings for it; what the scheme says comes first. */
export function contentsFor(scheme: Scheme, request: RawRequest): readonly SignedAlternative[] {
  const time = timeOf(scheme, request);
  const id = headerOf(idHeader(scheme), ID_HEADERS, request.headers);
  return [...new Set([scheme.contentText, ...CONTENTS])].flatMap((text) => {
    const pieces = parseSignedContent(text);
    if (typeof pieces === 'string') return [];
    const has = (kind: string) => pieces.some((piece) => piece.kind === kind);
    if ((has('timestamp') && time === null) || (has('id') && id === null)) return [];
    const { url, formField } = scheme;
    const values = { timestamp: time?.value, idHeader: id?.name ?? null, url, formField };
    const signed = signedBytes(pieces, request, values);
    const settings = {
      ...(has('timestamp') && time?.settings),
      ...(has('id') && id !== null && id.name !== idHeader(scheme) && { deliveryId: `header:${id.name}` }),
    };
    return signed.ok ? [{ text, parts: signed.parts, settings }] : [];
  });
}

interface FoundTime {
  readonly value: string;
  /** The settings that it takes; empty: they are set already. */
  readonly settings: Changes;
}

function timeOf(scheme: Scheme, request: RawRequest): FoundTime | null {
  const own = timestampText(scheme, request);
  if (own) return { value: own, settings: {} };
  const found = headerOf(null, TIMESTAMP_HEADERS, request.headers);
  if (found !== null) return { value: found.value, settings: { timestamp: `header:${found.name}` } };
  const part = /(?:^|,)t=(\d{1,15})(?:,|$)/.exec(signatureHeader(scheme, request.headers) ?? '')?.[1];
  return part === undefined ? null : { value: part, settings: { timestamp: 'part:t', separator: ',' } };
}

function headerOf(
  own: string | null,
  usual: readonly string[],
  headers: Headers,
): { readonly name: string; readonly value: string } | null {
  for (const name of own === null ? usual : [own, ...usual]) {
    const value = headers[name];
    if (value) return { name, value };
  }
  return null;
}
