import type { KeyObject } from 'node:crypto';
import { parseJson, withoutBom } from '../../lib/json.ts';
import type { RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import {
  fitsEd25519,
  PRIVATE_PREFIX,
  PUBLIC_PREFIX,
  SIGNATURE_BYTES,
  strictBase64,
  verifyingKey,
} from '../kit/keys.ts';
import {
  anyVerdict,
  checkHmacList,
  checkToken,
  decodeDigits,
  digitsInWords,
  refused,
} from '../kit/signature.ts';
import { checkSignedTime } from '../kit/signed-time.ts';
import { valueAt } from './locator.ts';
import { candidatesIn, idHeader, type Scheme, signatureHeader, timestampText } from './scheme.ts';
import { signedBytes } from './signed-content.ts';

/** Judges a request by several schemes, the first that fits being enough. `now` is epoch milliseconds. Never throws. */
export function verifyAny(
  schemes: readonly Scheme[],
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Verdict {
  const [only, ...others] = schemes;
  if (only !== undefined && others.length === 0) return verifyBy(only, request, secrets, now);
  const isMixed = new Set(schemes.map(({ kind }) => kind)).size > 1;
  return anyVerdict(
    schemes.map((scheme) => {
      if (!isMixed) return verifyBy(scheme, request, secrets, now);
      const own = secrets.filter((secret) => isMarkedKey(secret) === (scheme.kind === 'ed25519'));
      return amongAll(verifyBy(scheme, request, own, now), own, secrets);
    }),
  );
}

/** A verdict by some of the secrets, with the index that the fitting one has among all. */
export function amongAll(
  verdict: Verdict,
  used: readonly WebhookSecret[],
  all: readonly WebhookSecret[],
): Verdict {
  const fitted = verdict.ok ? used[verdict.secretIndex] : undefined;
  return fitted === undefined || !verdict.ok ? verdict : { ...verdict, secretIndex: all.indexOf(fitted) };
}

/**
 * Where a sender may sign by HMAC or with a key pair, a secret is one or the other by its mark. A public key is known to
 * everybody: taken for the key of an HMAC, it would let everybody sign.
 */
function isMarkedKey({ value }: WebhookSecret): boolean {
  const text = value.reveal();
  return text.startsWith(PUBLIC_PREFIX) || text.startsWith(PRIVATE_PREFIX);
}

function verifyBy(
  scheme: Scheme,
  request: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Verdict {
  switch (scheme.kind) {
    case 'hmac':
    case 'ed25519':
      return checkTime(scheme, checkSignature(scheme, request, secrets), request, now);
    case 'token':
      return checkPrefixedToken(scheme, request, secrets);
    case 'basic':
      return checkBasic(scheme, request, secrets);
    default:
      return scheme.kind satisfies never;
  }
}

function checkSignature(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  if (secrets.length === 0 && scheme.publicKey === null) {
    return refused('no_secret', 'the webhook has no secret to verify with');
  }
  const timestamp = timestampText(scheme, request);
  const signed = signedBytes(scheme.content, request, { ...scheme, timestamp, idHeader: idHeader(scheme) });
  if (!signed.ok) return signed.verdict;
  const header = signatureHeader(scheme, request.headers);
  if (header === undefined || header === '') {
    return refused(
      'signature_missing',
      `the request carries no signature: it has no ${scheme.headers.join(' or ')}`,
    );
  }
  const candidates = candidatesIn(scheme, header);
  if (scheme.kind === 'ed25519') return checkEd25519(scheme, candidates, signed.parts, secrets);
  const { prefix, algorithm, encoding, secretEncoding } = scheme;
  const check = { prefix, algorithm, encoding, signed: signed.parts, secrets, secretEncoding };
  return checkHmacList(check, candidates);
}

/** The setting `publicKey` comes behind the secrets, so that its index is their number. */
function checkEd25519(
  { prefix, encoding, publicKey }: Scheme,
  candidates: readonly string[],
  parts: readonly (string | Uint8Array)[],
  secrets: readonly WebhookSecret[],
): Verdict {
  const signatures = candidates.flatMap((text) => {
    const digits = text.startsWith(prefix) ? text.slice(prefix.length) : null;
    return (digits === null ? null : decodeDigits(digits, encoding, SIGNATURE_BYTES)) ?? [];
  });
  if (signatures.length === 0) {
    return refused(
      'signature_malformed',
      `the signature is not ${digitsInWords({ prefix, encoding })} of 64 bytes`,
    );
  }
  const texts = [...secrets.map(({ value }) => value.reveal()), ...(publicKey === null ? [] : [publicKey])];
  const keys: readonly (KeyObject | null)[] = texts.map(verifyingKey);
  const signed = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  for (const [index, key] of keys.entries()) {
    const fitted =
      key === null ? undefined : signatures.find((signature) => fitsEd25519(key, signed, signature));
    if (fitted !== undefined) return { ok: true, secretIndex: index, seal: fitted.toString('base64url') };
  }
  return keys.every((key) => key === null)
    ? refused('no_secret', 'the webhook has no public key: neither publicKey nor a secret is one')
    : refused('signature_wrong', 'the signature does not fit the body under any public key of the webhook');
}

/** A time inside the payload is read only from a body that the signature covers. */
function checkTime(scheme: Scheme, verdict: Verdict, request: RawRequest, now: number): Verdict {
  const { timestamp } = scheme;
  if (timestamp === null) return verdict;
  if (timestamp.in !== 'payload')
    return checkSignedTime(verdict, timestampText(scheme, request), now, scheme);
  if (!verdict.ok) return verdict;
  // Whether a mark before the JSON is taken is for the reader to say; the signature covers it either way.
  const payload = parseJson(withoutBom(request.body));
  const text = payload.ok ? valueAt(timestamp, request.headers, payload.value) : null;
  return checkSignedTime(verdict, text ?? undefined, now, scheme);
}

function checkPrefixedToken(
  scheme: Scheme,
  { headers }: RawRequest,
  secrets: readonly WebhookSecret[],
): Verdict {
  const header = signatureHeader(scheme, headers);
  if (header === undefined || header === '') return checkToken(header, secrets);
  // `bearer` is Bearer (RFC 9110, 11.1); other prefixes are the sender's own.
  const isFolded = scheme.headers.includes('authorization');
  const start = header.slice(0, scheme.prefix.length);
  const fits = isFolded ? start.toLowerCase() === scheme.prefix.toLowerCase() : start === scheme.prefix;
  return fits
    ? checkToken(header.slice(scheme.prefix.length), secrets)
    : refused('signature_malformed', `the token does not begin with \`${scheme.prefix}\``);
}

function checkBasic(scheme: Scheme, { headers }: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  const header = signatureHeader(scheme, headers);
  if (header === undefined || header === '') return checkToken(header, secrets);
  const credentials = strictBase64(/^basic +(.+)$/i.exec(header)?.[1] ?? '');
  if (credentials.length === 0) {
    return refused('signature_malformed', 'the header is not `Basic` and base64 of user:password');
  }
  // User and password are compared as one, so that the time does not tell which of them was wrong.
  const expected = secrets.map(({ value, expiresAt }) => {
    const text = value.reveal();
    const reveal = () => (text === '' ? '' : `${scheme.user}:${text}`);
    return { value: { reveal, toString: () => '[redacted]' }, expiresAt };
  });
  return checkToken(credentials.toString('latin1'), expected);
}
