import { createHash, hash, type KeyObject } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { getPath } from '../../lib/json.ts';
import type { RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { PRIVATE_PREFIX, PUBLIC_PREFIX, SIGNATURE_BYTES, strictBase64 } from '../kit/keys.ts';
import {
  anyVerdict,
  checkHmacList,
  checkToken,
  DIGEST_BYTES,
  decodeDigits,
  digitsInWords,
  refused,
  sameBytes,
} from '../kit/signature.ts';
import { checkSignedTime } from '../kit/signed-time.ts';
import { fitsKey, isKeyPair, type KeyPairKind, publicKeyOf } from './key-pairs.ts';
import { valueAt } from './locator.ts';
import { verifyMessage } from './message-signature.ts';
import { remoteKeys } from './remote-keys.ts';
import {
  candidatesIn,
  idHeader,
  type Scheme,
  signaturePlace,
  signatureText,
  timestampText,
} from './scheme.ts';
import { payloadOf, signedBytes, unverifiedPayload } from './signed-content.ts';

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
    case 'hash':
    case 'ed25519':
    case 'ecdsa':
    case 'rsa':
      return checkTime(scheme, checkSignature(scheme, request, secrets), request, now);
    case 'message-signature':
      return verifyMessage(scheme, request, secrets, now);
    case 'token':
      return checkPrefixedToken(scheme, request, secrets);
    case 'client-cert':
      return checkCertificate(scheme, request, secrets);
    case 'basic':
      return checkBasic(scheme, request, secrets);
    case 'jwt':
      return refused('signature_malformed', 'a token is judged by verifyAsync');
    default:
      return scheme.kind satisfies never;
  }
}

function checkSignature(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  const { kind, publicKey, keys, signature, prefix, algorithm, encoding, secretEncoding } = scheme;
  const needsSecret = signsSecret(scheme) || (publicKey === null && keys === null);
  if (secrets.length === 0 && needsSecret) {
    return refused('no_secret', 'the webhook has no secret to verify with');
  }
  const text = signatureText(scheme, request);
  const signed = contentOf(scheme, request, '');
  if (!signed.ok) return signed.verdict;
  if (text === undefined || text === '') {
    return refused(
      'signature_missing',
      `the request carries no signature: it has no ${signaturePlace(scheme)}`,
    );
  }
  if (signature?.in === 'payload' && isAmongOthers(scheme, request, signature.path)) {
    return refused(
      'signature_malformed',
      'the list with the signature has other entries, which it does not cover',
    );
  }
  const candidates = candidatesIn(scheme, text);
  if (isKeyPair(kind)) return checkKeyPair({ ...scheme, kind }, candidates, request, secrets);
  if (kind === 'hash') return checkHash(scheme, candidates, request, secrets);
  const check = { prefix, algorithm, encoding, signed: signed.parts, secrets, secretEncoding };
  return checkHmacList(check, candidates);
}

/** The bytes that were signed, under a secret where that is among them. */
function contentOf(scheme: Scheme, request: RawRequest, secret: string) {
  const timestamp = timestampText(scheme, request);
  return signedBytes(scheme.content, request, { ...scheme, timestamp, idHeader: idHeader(scheme), secret });
}

/** Whether a secret is not the key, but a part of what is signed. */
export function signsSecret({ content }: Scheme): boolean {
  return content.some(({ kind }) => kind === 'secret');
}

/** Whether the signature is that of one entry of a list that has several (Adyen). */
function isAmongOthers({ formField }: Scheme, request: RawRequest, path: readonly string[]): boolean {
  const index = path.findIndex((segment) => /^\d+$/.test(segment));
  const next = [...path.slice(0, index), String(Number(path[index]) + 1)];
  return index >= 0 && getPath(unverifiedPayload(request, formField), next) !== undefined;
}

function checkHash(
  scheme: Scheme,
  candidates: readonly string[],
  request: RawRequest,
  secrets: readonly WebhookSecret[],
): Verdict {
  const { prefix, encoding, algorithm } = scheme;
  const given = signaturesIn(candidates, scheme, DIGEST_BYTES[algorithm]);
  if (given.length === 0) {
    return refused('signature_malformed', `the signature is not ${digitsInWords({ prefix, encoding })}`);
  }
  // All are computed, so that the time does not tell which one fitted.
  const digests = secrets.map(({ value }) => {
    const signed = contentOf(scheme, request, value.reveal());
    const digest = createHash(algorithm);
    for (const part of signed.ok ? signed.parts : []) digest.update(part);
    const isKey = value.reveal() !== '' && signed.ok;
    return isKey ? digest.digest() : Buffer.alloc(0);
  });
  const index = digests.findIndex((digest) => given.some((bytes) => sameBytes(bytes, digest)));
  const seal = digests[index]?.toString('base64url') ?? null;
  return index < 0
    ? refused('signature_wrong', 'the signature does not fit the body under any secret of the webhook')
    : { ok: true, secretIndex: index, seal };
}

function signaturesIn(
  candidates: readonly string[],
  { prefix, encoding }: Pick<Scheme, 'prefix' | 'encoding'>,
  length?: number,
): readonly Buffer[] {
  return candidates.flatMap((text) => {
    const digits = text.startsWith(prefix) ? text.slice(prefix.length) : null;
    return (digits === null ? null : decodeDigits(digits, encoding, length)) ?? [];
  });
}

/** A secret that is signed may have a key behind it, with which hookctl signs its own samples: \`id key\`. */
export function splitSecret(text: string): { readonly signed: string; readonly key: string } {
  const [signed = '', key = ''] = text.split(' ', 2);
  return { signed, key };
}

/** Published keys come behind the secrets, so that their index is the secrets' number. */
function checkKeyPair(
  scheme: Scheme & { readonly kind: KeyPairKind },
  candidates: readonly string[],
  request: RawRequest,
  secrets: readonly WebhookSecret[],
): Verdict {
  const { kind, prefix, encoding, publicKey, keys: source, formField } = scheme;
  const signatures = signaturesIn(candidates, scheme, kind === 'ed25519' ? SIGNATURE_BYTES : undefined);
  if (signatures.length === 0) {
    const size = kind === 'ed25519' ? ` of ${SIGNATURE_BYTES} bytes` : '';
    return refused(
      'signature_malformed',
      `the signature is not ${digitsInWords({ prefix, encoding })}${size}`,
    );
  }
  const isSigned = signsSecret(scheme);
  const texts = secrets.map(({ value }) => value.reveal());
  const named = publicKey === null ? null : publicKeyOf(publicKey, kind);
  const fits = (keys: readonly KeyObject[], secret: string) => {
    if (keys.length === 0) return null;
    const content = contentOf(scheme, request, secret);
    if (!content.ok || (isSigned && secret === '')) return null;
    const signed = Buffer.concat(content.parts.map((part) => Buffer.from(part)));
    const fitted = signatures.find((bytes) => keys.some((key) => fitsKey(scheme, key, signed, bytes)));
    // One signature of ed25519 fits; of the others there may be several for the same bytes.
    return fitted === undefined ? null : kind === 'ed25519' ? fitted : hash('sha256', signed, 'buffer');
  };
  const own = texts.map((text) => publicKeyOf(isSigned ? splitSecret(text).key : text, kind));
  for (const [index, key] of own.entries()) {
    const seal = key === null ? null : fits([key], splitSecret(texts[index] ?? '').signed);
    if (seal !== null) return { ok: true, secretIndex: index, seal: seal.toString('base64url') };
  }
  const found = source === null ? null : remoteKeys(source, request, { kid: null, formField });
  if (found?.ok === false) return found.verdict;
  const published = [...(found?.keys ?? []), ...(named === null ? [] : [named])];
  for (const [index, secret] of (isSigned ? texts : ['']).entries()) {
    const seal = fits(published, splitSecret(secret).signed);
    if (seal !== null) {
      return { ok: true, secretIndex: isSigned ? index : secrets.length, seal: seal.toString('base64url') };
    }
  }
  return published.length === 0 && own.every((key) => key === null)
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
  const text = valueAt(timestamp, request.headers, payloadOf(request, scheme.formField));
  return checkSignedTime(verdict, text ?? undefined, now, scheme);
}

function checkPrefixedToken(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  const text = signatureText(scheme, request);
  if (text === undefined || text === '') return checkToken(text, secrets);
  // `bearer` is Bearer (RFC 9110, 11.1); other prefixes are the sender's own.
  const isFolded = scheme.headers.includes('authorization');
  const start = text.slice(0, scheme.prefix.length);
  const fits = isFolded ? start.toLowerCase() === scheme.prefix.toLowerCase() : start === scheme.prefix;
  if (!fits) return refused('signature_malformed', `the token does not begin with \`${scheme.prefix}\``);
  const token = text.slice(scheme.prefix.length);
  // Header text is latin1 as node:http has it; that of a query or a payload is decoded.
  const isDecoded = scheme.signature !== null && scheme.signature.in !== 'header';
  return checkToken(isDecoded ? Buffer.from(token).toString('latin1') : token, secrets);
}

/** A proxy that ended the TLS says whose certificate it checked: only its own word counts. */
function checkCertificate(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  const { headers, proxies, prefix } = scheme;
  if (!isFrom(proxies, request.address)) {
    const detail = `${headers.join(' or ')} counts only from the addresses of proxies, and this came from ${request.address ?? 'an unknown one'}`;
    return refused('signature_missing', detail);
  }
  const text = signatureText(scheme, request);
  if (text === undefined || text === '') return checkToken(text, secrets);
  const found = candidatesIn(scheme, text).flatMap((part) =>
    part.startsWith(prefix) ? fingerprint(part.slice(prefix.length)) : [],
  );
  const expected = secrets.map(({ value, expiresAt }) => {
    const known = fingerprint(value.reveal());
    return { value: { reveal: () => known, toString: () => '[redacted]' }, expiresAt };
  });
  const [only] = found;
  if (only === undefined || found.length > 1) {
    return refused('signature_malformed', `the header has ${found.length} fingerprints, and one is expected`);
  }
  return checkToken(only, expected);
}

/** `AB:CD:…`, `abcd…`: the same fingerprint. A subject has other signs, and stays as it is. */
function fingerprint(text: string): string {
  const bare = text.trim().replaceAll(':', '').toLowerCase();
  return /^[0-9a-f]{40,}$/.test(bare) ? bare : text.trim();
}

function isFrom(proxies: readonly string[], address: string | undefined): boolean {
  if (address === undefined) return false;
  const list = new BlockList();
  for (const proxy of proxies) {
    const [base = '', bits] = proxy.split('/');
    const family = isIPv6(base) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
  }
  const bare = address.replace(/^::ffff:(?=\d+\.)/, '');
  return list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

function checkBasic(scheme: Scheme, request: RawRequest, secrets: readonly WebhookSecret[]): Verdict {
  const header = signatureText(scheme, request);
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
