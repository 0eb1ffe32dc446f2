import { createHash } from 'node:crypto';

/** Alphabets of tokens, by the letter that stands for them. */
const ALPHABETS: Readonly<Record<string, string>> = {
  z: 'abcdefghijklmnopqrstuvwxyz0123456789',
  h: '0123456789abcdef',
  d: '0123456789',
  w: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  A: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  B: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  a: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  b: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
};

/**
 * Builds a token from its shape: `{w24}` is 24 random characters of an alphabet, `{u}` a UUID. The repository holds
 * shapes only, because hosts refuse a push that holds what looks like a token. The same shape gives the same token.
 */
export function tokenOf(shape: string): string {
  let drawn = 0;
  const byte = () => createHash('sha256').update(`${shape} ${drawn++}`).digest()[0] ?? 0;
  const draw = (alphabet: string, count: number) =>
    Array.from({ length: count }, () => alphabet[byte() % alphabet.length]).join('');
  return shape.replace(/\{([a-zA-Z])(\d*)\}/g, (_, letter: string, count: string) => {
    const hex = ALPHABETS.h ?? '';
    if (letter === 'u') return [8, 4, 4, 4, 12].map((length) => draw(hex, length)).join('-');
    if (letter === 'U')
      return [8, 4, 4, 4, 12]
        .map((length) => draw(hex, length))
        .join('-')
        .toUpperCase();
    return draw(ALPHABETS[letter] ?? '', Number(count));
  });
}

/** A text with a secret between `|`, or a text that is one. */
export function secretText(shape: string): { readonly text: string; readonly secret: string } {
  const [before, secret, after] = tokenOf(shape).split('|');
  if (secret === undefined || after === undefined) return { text: before ?? '', secret: before ?? '' };
  return { text: `${before}${secret}${after}`, secret };
}
