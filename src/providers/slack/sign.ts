import { parseJson } from '../../lib/json.ts';
import type { OutgoingRequest, SignContext } from '../../types.ts';
import { encodeForm } from '../kit/form.ts';
import { schemeOf } from '../scheme/scheme.ts';
import { signRequest } from '../scheme/sign.ts';

/** Version 0 is the only one: HMAC-SHA256 in hex over `v0:<timestamp>:<raw body>`. */
export const SCHEME = schemeOf({
  header: 'x-slack-signature',
  prefix: 'v0=',
  signedContent: 'v0:{timestamp}:{body}',
  timestamp: 'header:x-slack-request-timestamp',
});

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
export function sign(body: Uint8Array, context: SignContext): OutgoingRequest {
  const { contentType, body: sent } = asSent(body, context.type);
  const headers = () => ({ 'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)' });
  return signRequest(SCHEME, { contentType, headers }, sent, context);
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
