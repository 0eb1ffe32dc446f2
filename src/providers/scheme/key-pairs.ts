import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { isJsonObject } from '../../lib/json.ts';
import {
  PRIVATE_PREFIX,
  SIGNATURE_BYTES,
  signEd25519,
  signingKey,
  strictBase64,
  verifyingKey,
} from '../kit/keys.ts';
import { certificatesIn, isValidNow } from './certificates.ts';

/** Schemes in which the sender alone has the key that signs. */
export type KeyPairKind = 'ed25519' | 'ecdsa' | 'rsa';

const TYPES: Readonly<Record<KeyPairKind, string>> = { ed25519: 'ed25519', ecdsa: 'ec', rsa: 'rsa' };

export function isKeyPair(kind: string): kind is KeyPairKind {
  return Object.hasOwn(TYPES, kind);
}

/** The key that checks signatures of that kind; null when the text is none. */
export function publicKeyOf(text: string, kind: KeyPairKind): KeyObject | null {
  const raw = kind === 'ed25519' ? verifyingKey(text) : null;
  const key = raw ?? anyPublicKey(text);
  return key?.asymmetricKeyType === TYPES[kind] ? key : null;
}

/** What a key is used for; `kind` is one of a key pair. */
interface KeyUse {
  readonly kind: string;
  /** Hash; ed25519 has its own. */
  readonly algorithm: string;
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';
const MAX_KNOWN = 64;
/** Reading a key costs as much as checking a signature. */
const known = new Map<string, KeyObject | null>();

/** A public key of any type: PEM, a certificate that is valid now, a JWK, base64 of DER; of a private one its public half. */
export function anyPublicKey(text: string): KeyObject | null {
  // A certificate is read each time: it expires.
  if (text.includes(CERTIFICATE)) return attempt(() => readPublicKey(text));
  const found = known.get(text);
  if (found !== undefined) return found;
  const key = attempt(() => readPublicKey(text));
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, key);
  return key;
}

function readPublicKey(text: string): KeyObject | null {
  const written = inLines(text);
  if (written.startsWith(CERTIFICATE)) {
    return certificatesIn(written).slice(0, 1).find(isValidNow)?.publicKey ?? null;
  }
  if (written.startsWith('-----BEGIN ')) return createPublicKey(written);
  if (written.startsWith('{')) {
    const jwk: unknown = JSON.parse(written);
    return isJsonObject(jwk) ? createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }) : null;
  }
  const signing = privateKeyOf(written);
  if (signing !== null) return createPublicKey(signing);
  const der = strictBase64(written);
  return der.length === 0 ? null : createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/** A key that signs: PEM, or base64 of PKCS #8; null for every other text. */
export function privateKeyOf(text: string): KeyObject | null {
  const written = inLines(text);
  if (written.includes('-----BEGIN ')) return attempt(() => createPrivateKey(written));
  const der = strictBase64(written);
  return der.length === 0
    ? null
    : attempt(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** Variables of the environment often hold a PEM in one line, with `\n` for its line breaks. */
function inLines(text: string): string {
  return text.trim().replaceAll('\\n', '\n');
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** True when the signature is that key's over the bytes. Of ECDSA, both DER and `r` and `s` side by side are in use. */
export function fitsKey(
  { kind, algorithm }: KeyUse,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (kind === 'ed25519') return signature.length === SIGNATURE_BYTES && verify(null, signed, key, signature);
  const isPlain = kind === 'ecdsa' && signature.length === SIGNATURE_BYTES;
  const how = isPlain ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
  return attempt(() => verify(algorithm, signed, how, signature)) ?? false;
}

/** The signature of a private key as a sender writes it; null when the text is no such key. */
export function signWithKey({ kind, algorithm }: KeyUse, text: string, signed: Uint8Array): Buffer | null {
  const seed = kind === 'ed25519' ? signingKey(text) : null;
  if (seed !== null) return signEd25519(seed, signed);
  const key = privateKeyOf(text);
  return key === null ? null : sign(kind === 'ed25519' ? null : algorithm, signed, key);
}

/** A fresh private key as text in one line. */
export function newKeyPair(kind: KeyPairKind, bytes: Uint8Array): string {
  if (kind === 'ed25519') return PRIVATE_PREFIX + Buffer.from(bytes).toString('base64');
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
}
