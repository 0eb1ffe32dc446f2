import type { Headers } from '../../types.ts';

/** True for a body that a web form would send; its content type may name a charset. */
export function isForm(headers: Headers): boolean {
  return /^application\/x-www-form-urlencoded(?:$|[;\s])/i.test(headers['content-type'] ?? '');
}

/** Senders have a few dozen. Forms are read before anybody knows who sent them, and millions of fields take seconds. */
const MAX_FIELDS = 1_000;

/**
 * The fields of a form body; null when it is not UTF-8 in percent encoding, when a field comes twice, or when there are
 * more than 1,000.
 * `URLSearchParams` would replace bad bytes and show the first of two fields, so that two readers could see two
 * different requests under one signature.
 */
export function parseForm(body: Uint8Array): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const pairs = text.split('&', MAX_FIELDS + 1);
    if (pairs.length > MAX_FIELDS) return null;
    for (const pair of pairs.filter((each) => each !== '')) {
      const [name = '', ...value] = pair
        .split('=')
        .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
      if (fields.has(name)) return null;
      fields.set(name, value.join('='));
    }
  } catch {
    return null;
  }
  return fields;
}

/** The body that a web form with these fields would send. */
export function encodeForm(fields: Readonly<Record<string, string>>): Uint8Array {
  return Buffer.from(new URLSearchParams(fields).toString());
}
