import { randomBytes } from 'node:crypto';
import { failure } from '../../errors.ts';
import type { Headers, OutgoingRequest, RawRequest, Secret, SignContext } from '../../types.ts';
import {
  PRIVATE_PREFIX,
  SIGNING_SECRET_PREFIX,
  secretKey,
  signEd25519,
  signingKey,
  verifyingKey,
} from '../kit/keys.ts';
import { signHmac } from '../kit/signature.ts';
import { timeText } from '../kit/signed-time.ts';
import { idHeader, type Scheme } from './scheme.ts';
import { signedBytes } from './signed-content.ts';

interface SignWishes {
  readonly secret: Secret;
  readonly deliveryId: string;
  readonly now: Date;
}

/**
 * The headers by which a sender with this secret would prove the request: signature, time, delivery id. Throws
 * `cannot_sign` when the secret is a public key.
 */
export function signBy(
  scheme: Scheme,
  { headers, body }: Pick<RawRequest, 'headers' | 'body'>,
  { secret, deliveryId, now }: SignWishes,
): Headers {
  const id = idHeader(scheme);
  const timestamp = timeText(now, scheme.unit);
  const own: Headers = {
    ...(id !== null && { [id]: deliveryId }),
    ...(scheme.timestamp?.in === 'header' && { [scheme.timestamp.name]: timestamp }),
  };
  const all = { ...headers, ...own };
  const [header = ''] = scheme.headers;
  const proof = proofOf(scheme, { headers: all, body, query: '' }, secret.reveal(), timestamp);
  const { timestamp: place, separator } = scheme;
  const parts = place?.in === 'part' ? `${place.name}=${timestamp}${separator}` : '';
  return { ...own, [header]: parts + proof };
}

/** How the requests that hookctl makes in a sender's name look beside their proof. */
export interface RequestForm {
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Further headers: the name of the event. */
  readonly headers?: (context: SignContext, body: Uint8Array) => Headers;
}

/** A body as a sender would send it. Throws as `signBy` does. */
export function signRequest(
  scheme: Scheme,
  { contentType = 'application/json', headers }: RequestForm,
  body: Uint8Array,
  context: SignContext,
): OutgoingRequest {
  const plain = { 'content-type': contentType, ...headers?.(context, body) };
  return { body, headers: { ...plain, ...signBy(scheme, { headers: plain, body }, context) } };
}

function proofOf(scheme: Scheme, request: RawRequest, secret: string, timestamp: string): string {
  if (scheme.kind === 'token') return scheme.prefix + latin1(secret);
  if (scheme.kind === 'basic') {
    return `Basic ${Buffer.from(`${scheme.user}:${secret}`).toString('base64')}`;
  }
  const { prefix, algorithm, encoding, secretEncoding } = scheme;
  const signed = signedBytes(scheme.content, request, { ...scheme, timestamp, idHeader: idHeader(scheme) });
  const parts = signed.ok ? signed.parts : [];
  if (scheme.kind === 'hmac')
    return signHmac({ prefix, algorithm, encoding, signed: parts, secretEncoding }, secret);
  const key = signingKey(secret);
  if (key === null) {
    throw failure('cannot_sign', 'only the sender can sign: the webhook has its public key alone', {
      fix: `To try things out, give the webhook a private key (${PRIVATE_PREFIX}…), or post a file past the signature: hookctl replay body.json --webhook <name>`,
    });
  }
  return prefix + signEd25519(key, Buffer.concat(parts.map((part) => Buffer.from(part)))).toString(encoding);
}

/** Header text is latin1; the bytes are UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A fresh secret in the form that the scheme reads. */
export function newSecretFor({ kind, secretEncoding }: Scheme): string {
  const bytes = randomBytes(32);
  if (kind === 'ed25519') return PRIVATE_PREFIX + bytes.toString('base64');
  if (kind === 'hmac' && secretEncoding === 'whsec') return SIGNING_SECRET_PREFIX + bytes.toString('base64');
  if (kind === 'hmac' && secretEncoding === 'base64') return bytes.toString('base64');
  return bytes.toString('hex');
}

const FORMS = { utf8: 'text', hex: 'hex digits', base64: 'base64', whsec: 'base64 behind whsec_' };

/** Why no scheme can use this secret; null when one can. Never repeats the secret. */
export function secretProblem(schemes: readonly Scheme[], secret: string): string | null {
  const fits = (text: string) => schemes.some((scheme) => isUsable(scheme, text));
  if (fits(secret)) return null;
  const forms = [...new Set(schemes.map(formOf))].join(' or ');
  const extra = /^(?:v\d+a?[,=]\s*|["'`\s]+)/.exec(secret)?.[0];
  const cleaned = secret.slice(extra?.length ?? 0).replace(/["'`\s]+$/, '');
  const advice = !fits(cleaned)
    ? ''
    : extra === undefined
      ? ': leave out what is behind it'
      : `: leave out \`${extra.trim()}\` in front of it`;
  return `the secret is not ${forms}${advice}`;
}

function isUsable({ kind, secretEncoding, publicKey }: Scheme, secret: string): boolean {
  if (kind === 'hmac') return secretKey(secret, secretEncoding).length > 0;
  return kind !== 'ed25519' || publicKey !== null || verifyingKey(secret) !== null;
}

function formOf({ kind, secretEncoding }: Scheme): string {
  return kind === 'ed25519' ? 'an ed25519 key' : FORMS[secretEncoding];
}
