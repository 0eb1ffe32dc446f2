import { verifyingKey } from '../kit/keys.ts';
import { secretKey } from '../kit/secret-key.ts';
import type { Scheme } from './scheme.ts';

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
      ? ': leave out what stands behind it'
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
