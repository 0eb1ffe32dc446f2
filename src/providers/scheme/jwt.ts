import { createHash, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { secretKey } from '../kit/keys.ts';
import { decodeDigits, refused, sameBytes } from '../kit/signature.ts';
import { checkSignedTime } from '../kit/signed-time.ts';
import { anyPublicKey } from './key-pairs.ts';
import { remoteKeys } from './remote-keys.ts';
import { type Scheme, signaturePlace, signatureText } from './scheme.ts';
import { urlOf } from './signed-content.ts';

/** Each needs a key of its own type, so that a published key is never taken for a shared secret. */
const SHARED = ['HS256', 'HS384', 'HS512'];
const PUBLISHED = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** Keys that one request may be tried with. */
const MAX_KEYS = 8;

/** Judges a request by its JSON Web Token (RFC 7519). Never rejects, and waits for no network. */
export async function verifyJwt(
  scheme: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Promise<Verdict> {
  const text = signatureText(scheme, request);
  if (text === undefined || text === '') {
    return refused('signature_missing', `the request carries no token: it has no ${signaturePlace(scheme)}`);
  }
  const token = withoutPrefix(text, scheme.prefix);
  if (token === null)
    return refused('signature_malformed', `the token does not begin with \`${scheme.prefix}\``);
  const jose = await import('jose');
  const head = attempt(() => jose.decodeProtectedHeader(token));
  if (head === null) return refused('signature_malformed', 'this is no JSON Web Token');
  const keys = keysFor(scheme, request, secrets, typeof head.kid === 'string' ? head.kid : null);
  if ('verdict' in keys) return keys.verdict;
  let problem = refused('no_secret', 'the webhook has no key to verify the token with');
  for (const { key, index } of keys.list.slice(0, MAX_KEYS)) {
    try {
      const { payload } = await jose.jwtVerify(token, key, {
        algorithms: key.type === 'secret' ? SHARED : PUBLISHED,
        currentDate: new Date(now),
        clockTolerance: 60,
        ...(scheme.claims.issuer !== null && { issuer: scheme.claims.issuer }),
        ...(scheme.claims.audience !== null && { audience: scheme.claims.audience }),
      });
      return checkClaims(scheme, request, { payload, token, index }, now);
    } catch (error) {
      problem = problemOf(error);
    }
  }
  return problem;
}

/** `bearer` is Bearer (RFC 9110, 11.1), and `jwt` Atlassian's JWT. */
function withoutPrefix(text: string, prefix: string): string | null {
  return text.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()
    ? text.slice(prefix.length).trim()
    : null;
}

interface Key {
  readonly key: KeyObject;
  /** Position of the secret; behind the last for a published key. */
  readonly index: number;
}

/** Where the sender publishes its keys, the secrets sign nothing. */
function keysFor(
  { publicKey, keys, secretEncoding, formField }: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  kid: string | null,
): { readonly list: readonly Key[] } | { readonly verdict: Verdict } {
  const index = secrets.length;
  if (keys !== null) {
    const found = remoteKeys(keys, request, { kid, formField, secret: secrets[0]?.value.reveal() ?? '' });
    return found.ok ? { list: found.keys.map((key) => ({ key, index })) } : found;
  }
  const named = publicKey === null ? null : anyPublicKey(publicKey);
  if (publicKey !== null) return { list: named === null ? [] : [{ key: named, index }] };
  const list = secrets.flatMap(({ value }, position) => {
    const text = value.reveal();
    // A public key in any form is known to others: as a shared secret it would let them sign.
    const pair = anyPublicKey(text);
    const bytes = secretKey(text, secretEncoding);
    const key = pair ?? (bytes.length === 0 ? null : createSecretKey(bytes));
    return key === null ? [] : [{ key, index: position }];
  });
  return { list };
}

/** jose's reasons: the time, a claim, or the signature. */
function problemOf(error: unknown): Verdict {
  const { code = '', claim = '' } = error as { readonly code?: string; readonly claim?: string };
  if (code === 'ERR_JWT_EXPIRED' || claim === 'nbf') {
    return refused('timestamp_outside_window', 'the token has expired, or is not valid yet, by this clock');
  }
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    return refused(
      'signature_wrong',
      `the token is signed, but its ${claim} is not what the webhook asks for`,
    );
  }
  return refused('signature_wrong', 'the token does not fit any key of the webhook');
}

interface Token {
  readonly payload: JWTPayload;
  readonly token: string;
  readonly index: number;
}

function checkClaims(
  scheme: Scheme,
  request: RawRequest,
  { payload, token, index }: Token,
  now: number,
): Verdict {
  const { body, query } = scheme.claims;
  if (body !== null && !isDigestOf(request.body, payload[body])) {
    return refused('signature_wrong', `the token is signed, but its ${body} is not the SHA-256 of this body`);
  }
  if (query !== null && !queryDigests(request).includes(String(payload[query]))) {
    return refused(
      'signature_wrong',
      `the token is signed, but its ${query} is not that of this method, path and query`,
    );
  }
  // What names the body proves it; an encoding of the signature itself may have a second form.
  const seal = body === null ? null : hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url');
  const fits: Verdict = { ok: true, secretIndex: index, seal };
  return payload.exp !== undefined || payload.iat === undefined
    ? fits
    : checkSignedTime(fits, String(Math.floor(payload.iat)), now, {
        unit: 's',
        toleranceMs: scheme.toleranceMs,
      });
}

function isDigestOf(body: Uint8Array, claim: unknown): boolean {
  const digest = createHash('sha256').update(body).digest();
  return (['hex', 'base64', 'base64url'] as const).some((encoding) => {
    const given = typeof claim === 'string' ? decodeDigits(claim, encoding, digest.length) : null;
    return given !== null && sameBytes(given, digest);
  });
}

/**
 * Atlassian's query string hash: SHA-256 of `METHOD&path&sorted query`. The path counts from the app's base URL, which may be
 * any part of the path's front. Source: developer.atlassian.com, "Understanding JWT for Connect apps".
 */
function queryDigests(request: RawRequest): readonly string[] {
  const { method = 'POST', query } = request;
  const path = request.path ?? URL.parse(urlOf(request) ?? '')?.pathname ?? '/';
  const names = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'jwt') names.set(name, [...(names.get(name) ?? []), value]);
  }
  const sorted = [...names]
    .map(([name, values]) => `${escaped(name)}=${values.map(escaped).toSorted().join(',')}`)
    .toSorted()
    .join('&');
  const segments = path.replace(/\/+$/, '').split('/');
  return segments.map((_, index) => {
    const rest = `/${segments.slice(index + 1).join('/')}`;
    return hash('sha256', `${method.toUpperCase()}&${rest.replaceAll('&', '%26')}&${sorted}`, 'hex');
  });
}

/** RFC 3986, which leaves fewer characters as they are than `encodeURIComponent`. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
