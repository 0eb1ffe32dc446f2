import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Verdict, WebhookSecret } from '../types.ts';

export interface HmacCheck {
  /** The header's value as it came; undefined when it was absent. */
  readonly header: string | undefined;
  /** Text before the digits: `sha256=`, `v0=`, or empty. */
  readonly prefix: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** The bytes that were signed, in order. */
  readonly signed: readonly (string | Uint8Array)[];
  readonly secrets: readonly WebhookSecret[];
  /** How the text of a secret becomes the key; its UTF-8 bytes if left out. An empty key never fits. */
  readonly keyOf?: (secret: string) => Uint8Array;
}

/**
 * Compares a signature header with the HMAC of the signed bytes under every secret. A missing header, an empty
 * list of secrets and an empty secret fail like a wrong signature does: anybody can compute an HMAC with key ''.
 */
export function checkHmac(check: HmacCheck): Verdict {
  if (check.secrets.length === 0) return refused('no_secret', 'the webhook has no secret to verify with');
  if (check.header === undefined || check.header === '') {
    return refused('signature_missing', 'the request carries no signature');
  }
  const given = decodeSignature(check.header, check);
  if (given === null) {
    return refused(
      'signature_malformed',
      `the signature is not \`${check.prefix}\` and ${check.encoding} digits`,
    );
  }
  const index = firstMatch(check, given);
  return index < 0
    ? refused('signature_wrong', 'the signature does not fit the body under any secret of the webhook')
    : { ok: true, secretIndex: index };
}

/** The signature that a sender with this secret would put into the header, prefix included. */
export function signHmac(
  check: Pick<HmacCheck, 'prefix' | 'algorithm' | 'encoding' | 'signed' | 'keyOf'>,
  secret: string,
): string {
  return check.prefix + digest(check, keyFrom(check, secret)).toString(check.encoding);
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
    : { ok: true, secretIndex: index };
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
function firstMatch(check: HmacCheck, given: Buffer): number {
  return check.secrets.reduce((found, { value }, index) => {
    const key = keyFrom(check, value.reveal());
    const fits = sameBytes(digest(check, key), given) && key.length > 0;
    return fits && found < 0 ? index : found;
  }, -1);
}

function keyFrom({ keyOf }: Pick<HmacCheck, 'keyOf'>, secret: string): Uint8Array {
  return keyOf === undefined ? Buffer.from(secret, 'utf8') : keyOf(secret);
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function digest(check: Pick<HmacCheck, 'algorithm' | 'signed'>, key: Uint8Array): Buffer {
  const hmac = createHmac(check.algorithm, key);
  for (const part of check.signed) hmac.update(part);
  return hmac.digest();
}

const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 } as const;

/** Strict: Node's decoder skips what it does not know, so that two different headers could mean the same bytes. */
function decodeSignature(
  header: string,
  check: Pick<HmacCheck, 'prefix' | 'encoding' | 'algorithm'>,
): Buffer | null {
  if (!header.startsWith(check.prefix)) return null;
  const text = header.slice(check.prefix.length);
  const bytes = Buffer.from(text, check.encoding);
  return bytes.length === DIGEST_BYTES[check.algorithm] && bytes.toString(check.encoding) === text
    ? bytes
    : null;
}
