import { createHash, createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Secret, Verdict, WebhookSecret } from '../../types.ts';
import { type SecretEncoding, secretKey } from './keys.ts';

interface HmacCheck {
  /** The header's value as it came; undefined when it was absent. */
  readonly header: string | undefined;
  /** Text before the digits: `sha256=`, `v0=`, or empty. */
  readonly prefix: string;
  readonly algorithm: keyof typeof DIGEST_BYTES;
  readonly encoding: DigitEncoding;
  /** The bytes that were signed, in order. */
  readonly signed: readonly (string | Uint8Array)[];
  readonly secrets: readonly WebhookSecret[];
  /** How the text of a secret becomes the key; default `utf8`. An empty key never fits. */
  readonly secretEncoding?: SecretEncoding;
}

/**
 * Compares a signature header with the HMAC of the signed bytes under every secret. A missing header, an empty
 * list of secrets and an empty secret fail like a wrong signature does: anybody can compute an HMAC with key ''.
 */
export function checkHmac(check: HmacCheck): Verdict {
  return checkHmacList(check, check.header === undefined || check.header === '' ? [] : [check.header]);
}

/**
 * The same for several signatures in one header, any of which may fit. The signed bytes are hashed once for each
 * secret, however many signatures a stranger lists.
 */
export function checkHmacList(check: Omit<HmacCheck, 'header'>, signatures: readonly string[]): Verdict {
  if (check.secrets.length === 0) return refused('no_secret', 'the webhook has no secret to verify with');
  if (signatures.length === 0) return refused('signature_missing', 'the request carries no signature');
  const given = signatures.map((text) => decodeSignature(text, check)).filter((bytes) => bytes !== null);
  if (given.length === 0) {
    return refused('signature_malformed', `the signature is not ${digitsInWords(check)}`);
  }
  const match = firstMatch(check, given);
  return match === null
    ? refused('signature_wrong', 'the signature does not fit the body under any secret of the webhook')
    : { ok: true, secretIndex: match.index, seal: match.digest.toString('base64url') };
}

/** What a signature has to look like: `sha256=` and hex digits. */
export function digitsInWords({ prefix, encoding }: Pick<HmacCheck, 'prefix' | 'encoding'>): string {
  return prefix === '' ? `${encoding} digits alone` : `\`${prefix}\` and ${encoding} digits`;
}

/** The signature that a sender with this secret would put into the header, prefix included. */
export function signHmac(
  check: Pick<HmacCheck, 'prefix' | 'algorithm' | 'encoding' | 'signed' | 'secretEncoding'>,
  secret: string,
): string {
  return check.prefix + digest(check, secretKey(secret, check.secretEncoding)).toString(check.encoding);
}

/**
 * Compares a header that is the secret itself with every secret. Both sides are hashed first, so that the time tells
 * nothing of the length either. For senders that cannot sign (GitLab's `X-Gitlab-Token`).
 */
export function checkToken(header: string | undefined, secrets: readonly WebhookSecret[]): Verdict {
  if (secrets.length === 0) return refused('no_secret', 'the webhook has no secret to verify with');
  if (header === undefined || header === '')
    return refused('signature_missing', 'the request carries no token');
  // Header text is latin1 as node:http has it; the sender's bytes may be UTF-8.
  const given = sha256(Buffer.from(header, 'latin1'));
  const index = secrets.reduce((found, { value }, position) => {
    const fits = sameBytes(sha256(value.reveal()), given);
    return fits && found < 0 ? position : found;
  }, -1);
  return index < 0
    ? refused('signature_wrong', 'the token is no secret of the webhook')
    : { ok: true, secretIndex: index, seal: null };
}

/**
 * One verdict on several signatures in one header: the first that fits, else that one is wrong, else what the first is.
 */
export function anyVerdict(verdicts: readonly Verdict[]): Verdict {
  const wrong = verdicts.find((verdict) => !verdict.ok && verdict.cause === 'signature_wrong');
  const [first = refused('signature_missing', 'the request carries no signature')] = verdicts;
  return verdicts.find(({ ok }) => ok) ?? wrong ?? first;
}

/** Equal bytes, in a time that tells nothing about where they differ. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A failed verdict. */
export function refused(cause: Extract<Verdict, { ok: false }>['cause'], detail: string): Verdict {
  return { ok: false, cause, detail };
}

/** All secrets are tried even after a match, so that the time does not tell which one fitted. */
function firstMatch(
  check: Omit<HmacCheck, 'header'>,
  given: readonly Buffer[],
): { readonly index: number; readonly digest: Buffer } | null {
  let found: { readonly index: number; readonly digest: Buffer } | null = null;
  for (const [index, { value }] of check.secrets.entries()) {
    const key = keyObject(value, check.secretEncoding);
    const right = digest(check, key);
    const fits = given.filter((bytes) => sameBytes(right, bytes)).length > 0 && key.symmetricKeySize !== 0;
    if (fits && found === null) found = { index, digest: right };
  }
  return found;
}

const keyObjects: Readonly<Record<SecretEncoding, WeakMap<Secret, KeyObject>>> = {
  utf8: new WeakMap(),
  hex: new WeakMap(),
  base64: new WeakMap(),
  whsec: new WeakMap(),
};

/** Made once for each secret: of bytes Node finds out by an error, each time, that they are no key object. */
function keyObject(secret: Secret, encoding: SecretEncoding = 'utf8'): KeyObject {
  const known = keyObjects[encoding].get(secret);
  if (known !== undefined) return known;
  const key = createSecretKey(secretKey(secret.reveal(), encoding));
  keyObjects[encoding].set(secret, key);
  return key;
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function digest(check: Pick<HmacCheck, 'algorithm' | 'signed'>, key: Uint8Array | KeyObject): Buffer {
  const hmac = createHmac(check.algorithm, key);
  for (const part of check.signed) hmac.update(part);
  return hmac.digest();
}

/** Length of a digest. */
export const DIGEST_BYTES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** How signatures are written. */
type DigitEncoding = 'hex' | 'base64' | 'base64url';

function decodeSignature(
  header: string,
  { prefix, encoding, algorithm }: Pick<HmacCheck, 'prefix' | 'encoding' | 'algorithm'>,
): Buffer | null {
  return header.startsWith(prefix)
    ? decodeDigits(header.slice(prefix.length), encoding, DIGEST_BYTES[algorithm])
    : null;
}

/** Of a character beyond ASCII, Node's decoder looks at the low byte alone: `ı` is `1` to it. */
const HEX = /^[\da-f]+$/i;

/**
 * The bytes that digits encode; null when they are not exactly that many, or, without a length, when there are none. Strict: Node's
 * decoder skips what it does not know, so that two different headers could mean the same bytes. Hex is read in any case, base64url
 * with or without padding.
 */
export function decodeDigits(text: string, encoding: DigitEncoding, length?: number): Buffer | null {
  const bytes = Buffer.from(text, encoding);
  const digits = encoding === 'base64url' ? text.replace(/={1,2}$/, '') : text;
  const isAll =
    encoding === 'hex'
      ? bytes.length * 2 === text.length && HEX.test(text)
      : bytes.toString(encoding) === digits;
  return isAll && bytes.length > 0 && (length === undefined || bytes.length === length) ? bytes : null;
}

/**
 * A key by which the same bytes are recognised, for providers whose delivery id is outside the signature: a captured
 * request could be sent again under a new id.
 */
export function bodyKey(body: Uint8Array): string {
  return `body:${hash('sha256', body, 'hex')}`;
}
