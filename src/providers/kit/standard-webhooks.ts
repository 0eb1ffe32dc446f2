import type { Headers, RawRequest, Verdict, WebhookSecret } from '../../types.ts';
import { secretKey } from './keys.ts';
import { checkHmacList, type HmacCheck, refused, signHmac } from './signature.ts';
import { checkSignedTime } from './signed-time.ts';

/*
 * Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric signatures: `webhook-signature` is a list, separated by
 * spaces, of `v1,<base64 HMAC-SHA256 of "{id}.{timestamp}.{body}">`.
 */

const SCHEME = {
  prefix: 'v1,',
  algorithm: 'sha256',
  encoding: 'base64',
  keyOf: (secret: string) => secretKey(secret, 'whsec'),
} as const;

/** A rotation needs two. */
const MAX_SIGNATURES = 8;

/** Any one `v1` signature that fits is enough; versions that are not known are skipped, as the specification asks. */
export function checkStandardWebhook(
  { headers, body }: RawRequest,
  secrets: readonly WebhookSecret[],
  now: number,
): Verdict {
  const timestamp = headers['webhook-timestamp'];
  const verdict = checkSignatures(headers, signedParts(headers, body), secrets);
  return checkSignedTime(verdict, timestamp, now);
}

/** The three headers under which a sender with this secret would send the body. */
export function signStandardWebhook(
  body: Uint8Array,
  { id, now, secret }: { readonly id: string; readonly now: Date; readonly secret: string },
): Headers {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const unsigned = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  return {
    ...unsigned,
    'webhook-signature': signHmac({ ...SCHEME, signed: signedParts(unsigned, body) }, secret),
  };
}

function checkSignatures(
  headers: Headers,
  signed: HmacCheck['signed'],
  secrets: readonly WebhookSecret[],
): Verdict {
  const { 'webhook-id': id = '', 'webhook-signature': list = '' } = headers;
  // With a dot in the id, `a.1` and `2.b` could be read as `a` and `1.2.b`.
  if (id.includes('.')) return refused('signature_malformed', 'the webhook-id contains a dot');
  const known = list.split(' ').filter((part) => part.startsWith(SCHEME.prefix));
  const candidates = known.length === 0 ? [list] : known.slice(0, MAX_SIGNATURES);
  return checkHmacList({ ...SCHEME, signed, secrets }, id === '' ? [] : candidates.filter(Boolean));
}

function signedParts(headers: Headers, body: Uint8Array): HmacCheck['signed'] {
  return [`${headers['webhook-id'] ?? ''}.${headers['webhook-timestamp'] ?? ''}.`, body];
}
