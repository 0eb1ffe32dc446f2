import { createHmac } from 'node:crypto';
import { fitsEd25519, verifyingKey } from '../../lib/ed25519.ts';
import { type SecretEncoding, secretKey } from '../../lib/secret-key.ts';
import { checkToken, sameBytes } from '../../lib/signature.ts';
import { epochOf } from '../../lib/signed-time.ts';
import type { RawRequest, WebhookSecret } from '../../types.ts';
import { type Candidate, candidatesFor, contentsFor, type SignedAlternative } from './hint-candidates.ts';
import { type Scheme, timestampText } from './scheme.ts';

/**
 * Most bytes that are hashed for one hint: some 5 ms. Whoever is refused may be anybody, and must not be able to keep
 * the process busy; how often hints are looked for is the caller's to bound.
 */
const MAX_HASHED = 4 * 1024 * 1024;
const MAX_SECRETS = 2;
/** Above this nothing is looked for: reading a form, too, takes its time. */
const MAX_BODY = 512 * 1024;

/** A way in which the request would have been accepted. */
interface Fit {
  readonly candidate: Candidate;
  readonly content: SignedAlternative;
  readonly secretEncoding: SecretEncoding;
}

/**
 * What a refused request seems to be signed by instead; null when nothing is found. Whatever is found, all alternatives
 * are tried, so that the time until the answer tells the sender nothing. Names settings and, only where a signature
 * fits, header names of the request: never a signature, a secret, or anything that a stranger wrote.
 */
export function hintFor(
  scheme: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
): string | null {
  if (request.body.byteLength > MAX_BODY) return null;
  const tried = secrets.slice(0, MAX_SECRETS);
  switch (scheme.kind) {
    case 'hmac':
      return (
        describeBest(scheme, hmacFits(scheme, request, tried)) ??
        timeHint(scheme, request) ??
        keyHint(scheme, tried)
      );
    case 'ed25519':
      return describeBest(scheme, ed25519Fits(scheme, request, tried)) ?? timeHint(scheme, request);
    case 'token':
      return tokenHint(scheme, request, tried);
    case 'basic':
      return null;
    default:
      return scheme.kind satisfies never;
  }
}

function hmacFits(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): readonly Fit[] {
  const candidates = candidatesFor(scheme, request, [20, 32, 64]);
  const algorithms = [...new Set(candidates.map(({ algorithm }) => algorithm))];
  const work = contentsFor(scheme, request).flatMap((content) =>
    keysOf(secrets).flatMap((key) => algorithms.map((algorithm) => ({ content, ...key, algorithm }))),
  );
  const affordable = work.slice(0, Math.floor(MAX_HASHED / (request.body.byteLength + 256)));
  return affordable.flatMap(({ content, key, secretEncoding, algorithm }) => {
    const hmac = createHmac(algorithm, key);
    for (const part of content.parts) hmac.update(part);
    const digest = hmac.digest();
    return candidates
      .filter(({ bytes }) => sameBytes(bytes, digest))
      .map((candidate) => ({ candidate, content, secretEncoding }));
  });
}

function ed25519Fits(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): readonly Fit[] {
  const texts = [
    ...secrets.map(({ value }) => value.reveal()),
    ...(scheme.publicKey === null ? [] : [scheme.publicKey]),
  ];
  const keys = texts.map(verifyingKey).filter((key) => key !== null);
  const candidates = candidatesFor(scheme, request, [64]);
  const affordable = contentsFor(scheme, request).slice(
    0,
    Math.floor(MAX_HASHED / (request.body.byteLength + 256)),
  );
  return affordable.flatMap((content) => {
    const signed = Buffer.concat(content.parts.map((part) => Buffer.from(part)));
    return candidates
      .filter(({ bytes }) => keys.filter((key) => fitsEd25519(key, signed, bytes)).length > 0)
      .map((candidate) => ({ candidate, content, secretEncoding: scheme.secretEncoding }));
  });
}

interface Key {
  readonly key: Uint8Array;
  readonly secretEncoding: SecretEncoding;
}

/** What the secrets may mean: an empty key is none, and anybody can compute an HMAC with it. */
function keysOf(secrets: readonly WebhookSecret[]): readonly Key[] {
  const encodings: readonly SecretEncoding[] = ['utf8', 'base64', 'whsec', 'hex'];
  return secrets.flatMap(({ value }) =>
    encodings
      .map((secretEncoding) => ({ secretEncoding, key: secretKey(value.reveal(), secretEncoding) }))
      .filter(({ key }) => key.length > 0),
  );
}

/** The fit that changes the fewest settings. */
function describeBest(scheme: Scheme, fits: readonly Fit[]): string | null {
  const described = fits.map((fit) => ({ fit, changes: changesFor(scheme, fit) }));
  const [best] = described.toSorted((left, right) => left.changes.length - right.changes.length);
  if (best === undefined || best.changes.length === 0) return null;
  const { content } = best.fit;
  const others = best.changes.filter((change) => !change.startsWith('signedContent:'));
  const over =
    content.text === scheme.contentText
      ? 'the signature would fit'
      : `computed over \`${scheme.contentText}\`; the signature would fit \`${content.text}\``;
  return others.length === 0 ? over : `${over} with ${others.join(', ')}`;
}

function changesFor(scheme: Scheme, { candidate, content, secretEncoding }: Fit): readonly string[] {
  const { header, prefix, algorithm, encoding } = candidate;
  const isHmac = scheme.kind === 'hmac';
  return [
    ...(scheme.headers.includes(header) ? [] : [`header: ${header}`]),
    ...(prefix === scheme.prefix ? [] : [`prefix: "${prefix}"`]),
    ...(encoding === scheme.encoding ? [] : [`encoding: ${encoding}`]),
    ...(isHmac && algorithm !== scheme.algorithm ? [`algorithm: ${algorithm}`] : []),
    ...(isHmac && secretEncoding !== scheme.secretEncoding ? [`secretEncoding: ${secretEncoding}`] : []),
    ...(content.text === scheme.contentText ? [] : [`signedContent: ${content.text}`]),
    ...content.settings,
  ];
}

/** Seconds of today have ten digits, milliseconds thirteen. */
function timeHint(scheme: Scheme, request: RawRequest): string | null {
  const text = timestampText(scheme, request);
  if (text === undefined) return null;
  if (scheme.unit === 's' && /^\d{13}$/.test(text)) return 'the time has 13 digits: set timestampUnit: ms';
  if (scheme.unit === 'ms' && /^\d{10}$/.test(text)) return 'the time has 10 digits: set timestampUnit: s';
  return scheme.unit !== 'iso' && epochOf(text, 'iso') !== null
    ? 'the time is written in ISO 8601: set timestampUnit: iso'
    : null;
}

function keyHint({ secretEncoding }: Scheme, secrets: readonly WebhookSecret[]): string | null {
  const wrong = secrets.some(({ value }) => secretKey(value.reveal(), secretEncoding).length === 0);
  return wrong ? `the secret is not written in ${secretEncoding}, as secretEncoding says` : null;
}

/** The token stands in another header, or behind another prefix. */
function tokenHint(
  scheme: Scheme,
  { headers }: RawRequest,
  secrets: readonly WebhookSecret[],
): string | null {
  const found = Object.entries(headers).flatMap(([header, value]) => {
    const [, prefix = '', token = ''] = /^([A-Za-z]+ )?(.*)$/s.exec(value) ?? [];
    if (checkToken(value, secrets).ok) return [{ header, prefix: '' }];
    return checkToken(token, secrets).ok ? [{ header, prefix }] : [];
  });
  const [first] = found;
  if (first === undefined) return null;
  const where = scheme.headers.includes(first.header) ? '' : `header: ${first.header}, `;
  return `the token would fit with ${where}prefix: "${first.prefix}"`;
}
