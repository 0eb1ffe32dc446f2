import type { Headers, RawRequest, Verdict, WebhookSecret } from '../types.ts';
import { checkHmac, type HmacCheck, refused, signHmac } from './signature.ts';
import { checkSignedTime } from './signed-time.ts';

/*
 * Standard Webhooks 1.0.0 (standardwebhooks.com), symmetric signatures: `webhook-signature` is a list, separated by
 * spaces, of `v1,<base64 HMAC-SHA256 of "{id}.{timestamp}.{body}">`.
 */

const SCHEME = { prefix: 'v1,', algorithm: 'sha256', encoding: 'base64', keyOf } as const;

/** A rotation needs two. Each costs an HMAC over the body, before anybody knows who sent it. */
const MAX_SIGNATURES = 8;

/** What marks a secret that signs, as opposed to a token that is sent. */
export const SIGNING_SECRET_PREFIX = 'whsec_';

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
  const verdicts = candidates.map((header) =>
    checkHmac({ ...SCHEME, header: id === '' ? undefined : header, signed, secrets }),
  );
  const wrong = verdicts.find((verdict) => !verdict.ok && verdict.cause === 'signature_wrong');
  return verdicts.find(({ ok }) => ok) ?? wrong ?? (verdicts[0] as Verdict);
}

function signedParts(headers: Headers, body: Uint8Array): HmacCheck['signed'] {
  return [`${headers['webhook-id'] ?? ''}.${headers['webhook-timestamp'] ?? ''}.`, body];
}

/** `whsec_` and base64; prefix and padding are optional. What is no base64 becomes an empty key, which never fits. */
function keyOf(secret: string): Uint8Array {
  const digits = (
    secret.startsWith(SIGNING_SECRET_PREFIX) ? secret.slice(SIGNING_SECRET_PREFIX.length) : secret
  ).replace(/={1,2}$/, '');
  const key = Buffer.from(digits, 'base64');
  return key.toString('base64').replace(/=+$/, '') === digits ? key : new Uint8Array();
}
