import { parseJson } from '../../lib/json.ts';
import type { OutgoingRequest, SignContext } from '../../types.ts';
import { encodeForm } from '../kit/form.ts';
import { signHmac } from '../kit/signature.ts';

/** Version 0 is the only one: HMAC-SHA256 in hex over `v0:<timestamp>:<raw body>`. */
export const SIGNATURE = { prefix: 'v0=', algorithm: 'sha256', encoding: 'hex' } as const;

const FORM = 'application/x-www-form-urlencoded';

/** Interactions come as JSON in a form field (docs.slack.dev, "Handling user interaction"). */
const INTERACTIONS = [
  'block_actions',
  'block_suggestion',
  'interactive_message',
  'message_action',
  'shortcut',
  'view_closed',
  'view_submission',
];

/** A body as Slack would send it: what Slack sends as a form is made one. */
export function sign(body: Uint8Array, { type, secret, now }: SignContext): OutgoingRequest {
  const sent = asSent(body, type);
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return {
    body: sent.body,
    headers: {
      'content-type': sent.contentType,
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signHmac(
        { ...SIGNATURE, signed: signedParts(timestamp, sent.body) },
        secret.reveal(),
      ),
    },
  };
}

/** The bytes that are signed. */
export function signedParts(timestamp: string, body: Uint8Array): readonly (string | Uint8Array)[] {
  return [`v0:${timestamp}:`, body];
}

function asSent(body: Uint8Array, type: string): { readonly body: Uint8Array; readonly contentType: string } {
  if (INTERACTIONS.includes(type)) {
    return { body: encodeForm({ payload: Buffer.from(body).toString('utf8') }), contentType: FORM };
  }
  const json = type === 'slash_command' ? parseJson(body) : null;
  if (json?.ok !== true) return { body, contentType: 'application/json' };
  const fields = Object.entries(json.value).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return { body: encodeForm(Object.fromEntries(fields)), contentType: FORM };
}
