/** How the text of a secret becomes the key of an HMAC. `whsec`: base64 behind an optional `whsec_`. */
export type SecretEncoding = 'utf8' | 'hex' | 'base64' | 'whsec';

/** What marks a secret that signs, as opposed to a token that is sent (Standard Webhooks 1.0.0). */
export const SIGNING_SECRET_PREFIX = 'whsec_';

/**
 * The bytes that a secret stands for; empty when it is not written in that encoding, and an empty key never fits.
 * Strict: Node's decoder skips what it does not know, so that a mistyped secret would become another one.
 */
export function secretKey(secret: string, encoding: SecretEncoding): Uint8Array {
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
export function strictHex(text: string): Buffer {
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.alloc(0);
}

/** The bytes of base64 with or without padding; empty when the text is anything else. */
export function strictBase64(text: string): Buffer {
  const digits = text.replace(/={1,2}$/, '');
  const bytes = Buffer.from(digits, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === digits ? bytes : Buffer.alloc(0);
}
