import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** How the text of a secret becomes the key of an HMAC. `whsec`: base64 behind an optional `whsec_`. */
export type SecretEncoding = 'utf8' | 'hex' | 'base64' | 'whsec';

/** What marks a secret that signs, as opposed to a token that is sent (Standard Webhooks 1.0.0). */
export const SIGNING_SECRET_PREFIX = 'whsec_';

/**
 * The bytes that a secret encodes; empty when it is not written in that encoding, and an empty key never fits.
 * Strict: Node's decoder skips what it does not know, so that a mistyped secret would become another one.
 */
export function secretKey(secret: string, encoding: SecretEncoding = 'utf8'): Uint8Array {
  switch (encoding) {
    case 'utf8':
      return Buffer.from(secret, 'utf8');
    case 'hex':
      return strictHex(secret);
    case 'base64':
      return strictBase64(secret);
    case 'whsec':
      return strictBase64(
        secret.startsWith(SIGNING_SECRET_PREFIX) ? secret.slice(SIGNING_SECRET_PREFIX.length) : secret,
      );
    default:
      return encoding satisfies never;
  }
}

/** The bytes of hex digits in either case; empty when the text is anything else. */
function strictHex(text: string): Buffer {
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.alloc(0);
}

/** The bytes of base64 with or without padding; empty when the text is anything else. */
export function strictBase64(text: string): Buffer {
  const digits = text.replace(/={1,2}$/, '');
  const bytes = Buffer.from(digits, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === digits ? bytes : Buffer.alloc(0);
}

/*
 * Ed25519 (RFC 8032) with raw keys, as web pages of senders show them. Node takes keys in DER: these are the fixed
 * bytes of SubjectPublicKeyInfo and PKCS #8 before the 32 of the key (RFC 8410).
 */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Bytes of a public key, and of a seed. */
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** Standard Webhooks' marks of a public key (base64 of 32 bytes) and of a private one (seed and public key). */
export const PUBLIC_PREFIX = 'whpk_';
export const PRIVATE_PREFIX = 'whsk_';

/**
 * The bytes of a key as people paste it: hex, base64 or `whpk_` and base64. Their number is not checked; empty when it is
 * written in neither.
 */
export function keyBytes(text: string): Uint8Array {
  if (text.startsWith(PUBLIC_PREFIX)) return strictBase64(text.slice(PUBLIC_PREFIX.length));
  const hex = strictHex(text);
  return hex.length > 0 ? hex : strictBase64(text);
}

/**
 * The key that checks signatures; null when the text is not a key. A `whsk_…` gives its public half. Every other text is
 * a public key, never a seed: were the published key of a sender read as a seed, everybody could sign with it.
 */
export function verifyingKey(text: string): KeyObject | null {
  const signing = signingKey(text);
  if (signing !== null) return createPublicKey(signing);
  const bytes = keyBytes(text);
  return text.startsWith(PRIVATE_PREFIX) || bytes.length !== KEY_BYTES
    ? null
    : createPublicKey({ key: Buffer.concat([PUBLIC_DER, bytes]), format: 'der', type: 'spki' });
}

/** The key of a `whsk_…` text; null for every other. */
export function signingKey(text: string): KeyObject | null {
  if (!text.startsWith(PRIVATE_PREFIX)) return null;
  const bytes = strictBase64(text.slice(PRIVATE_PREFIX.length));
  if (bytes.length !== KEY_BYTES && bytes.length !== 2 * KEY_BYTES) return null;
  const der = Buffer.concat([PRIVATE_DER, bytes.subarray(0, KEY_BYTES)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** True when the signature is that key's over the bytes. */
export function fitsEd25519(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && verify(null, signed, key, signature);
}

export function signEd25519(key: KeyObject, signed: Uint8Array): Buffer {
  return sign(null, signed, key);
}
