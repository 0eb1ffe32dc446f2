import { z } from 'zod';
import { parseJson } from '../../lib/json.ts';
import type { JsonObject, Provider } from '../../types.ts';
import { defaultWebhook } from '../kit/default-webhook.ts';
import { textAt } from '../kit/payload.ts';
import { checkHmac, checkToken, signHmac } from '../kit/signature.ts';
import { createProvider } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

const webhook = defaultWebhook(
  'jira',
  ['Issue: {{issue.key}}', 'Link: {{@event.url}}', '', '{{issue.fields.description}}'],
  { hasReviews: false },
);

/** Name of the account that wrote a comment, an issue's texts or a change; null for the rest. */
function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  const [top, next] = path;
  if (top === 'comment' || top === 'worklog')
    return nameAt(payload, top, 'updateAuthor') ?? nameAt(payload, top, 'author');
  if (top === 'changelog' || top === 'user') return nameAt(payload, 'user');
  const fields =
    top === 'issue' && next === 'fields' ? ['issue', 'fields'] : top === 'fields' ? ['fields'] : null;
  return fields === null
    ? null
    : (nameAt(payload, ...fields, 'creator') ?? nameAt(payload, ...fields, 'reporter'));
}

function nameAt(payload: JsonObject, ...path: readonly string[]): string | null {
  return textAt(payload, ...path, 'displayName') ?? textAt(payload, ...path, 'name');
}

/** WebSub: `<method>=<hex>`. Only sha256 is sent today, and only it is taken. */
const SIGNATURE = { prefix: 'sha256=', algorithm: 'sha256', encoding: 'hex' } as const;

/** For what cannot sign but can send a header of the user's choice: rules of Automation for Jira. */
const TOKEN_HEADER = 'x-hookctl-token';

/**
 * Jira Cloud and Data Center. Webhooks with a secret sign the raw body; Automation's "Send web request" cannot, and
 * sends the secret itself in `X-Hookctl-Token`. A request with a signature is judged by that alone.
 * Source: developer.atlassian.com/cloud/jira/platform/webhooks, "Secure admin webhooks".
 */
export const jira: Provider = createProvider({
  name: 'jira',
  defaultAssociations: ['atlassian'],
  webhook,
  secretHeaders: [TOKEN_HEADER],
  options: z.strictObject({ agentUser: z.string().min(1).optional() }),

  verify({ headers, body }, secrets) {
    const header = headers['x-hub-signature'];
    const token = headers[TOKEN_HEADER];
    if (header === undefined && token !== undefined) return checkToken(token, secrets);
    return checkHmac({ ...SIGNATURE, header, signed: [body], secrets });
  },

  sign: (body, { secret, deliveryId }) => ({
    body,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      'user-agent': 'Atlassian Webhook HTTP Client',
      'x-atlassian-webhook-identifier': deliveryId,
      'x-atlassian-webhook-flow': 'Primary',
      'x-hub-signature': signHmac({ ...SIGNATURE, signed: [body] }, secret.reveal()),
    },
  }),

  // The same on every retry of one delivery.
  deliveryId: (headers) => headers['x-atlassian-webhook-identifier'] ?? null,

  decode: ({ body }) => parseJson(body),
  parse,
  authorOf,
  reply,

  form: ({ url, secretCommand }) => ({
    URL: url,
    Secret: secretCommand,
    'Issue related events': 'Issue: created, updated; Comment: created, updated',
    'Exclude body': 'no',
  }),
});
