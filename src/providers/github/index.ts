import { getPath } from '../../lib/json.ts';
import type { JsonObject, Provider, WebhookEvent } from '../../types.ts';
import { checkKey } from '../ci/result.ts';
import { defaultWebhook } from '../kit/default-webhook.ts';
import { bodyKey, signHmac } from '../kit/signature.ts';
import { createProvider, signedBy } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

/** The login of the nearest `user` (comment, issue, review) or `author` (commit, release) above the value. */
function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const place = path.slice(0, depth);
    for (const key of ['user', 'author']) {
      const login = getPath(payload, [...place, key, 'login']);
      if (typeof login === 'string') return login;
    }
  }
  return null;
}

const webhook = defaultWebhook('github', [
  'Repository: {{repository.full_name}}',
  'Link: {{@event.url}}',
  '',
  '{{#if issue.body}}{{issue.body}}{{else}}{{pull_request.body}}{{/if}}',
]);

/**
 * GitHub, github.com and Enterprise Server. Only the body is signed (`X-Hub-Signature-256`, HMAC-SHA256 over the raw
 * bytes, also of a form-encoded body): event name and delivery id are not, so `parse` checks that they fit.
 * Source: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads".
 */
export const github: Provider = createProvider({
  name: 'github',
  defaultAssociations: ['OWNER', 'MEMBER', 'COLLABORATOR'],
  webhook,

  ...signedBy(
    { header: 'x-hub-signature-256', prefix: 'sha256=', deliveryId: 'header:x-github-delivery' },
    {
      headers: ({ type, secret }, body) => ({
        'user-agent': 'GitHub-Hookshot/hookctl',
        'x-github-event': type.split('.')[0] ?? type,
        'x-hub-signature': signHmac(
          { prefix: 'sha1=', algorithm: 'sha1', encoding: 'hex', signed: [body] },
          secret.reveal(),
        ),
      }),
    },
  ),
  deliveryId: (headers) => headers['x-github-delivery'] ?? null,
  eventName: (headers) => headers['x-github-event'] ?? null,

  parse(payload, { request }) {
    const events = parse(payload, request.headers);
    return events.ok ? { ...events, ...keysOf(request, events.events) } : events;
  },

  authorOf,
  reply,

  form: ({ url, secretCommand }) => ({
    'Payload URL': url,
    'Content type': 'application/json',
    Secret: secretCommand,
    Events: 'Issue comments, Issues, Pull requests, Pull request reviews, Pull request review comments',
  }),
});

/**
 * The delivery id is not signed: a captured body can be sent again under a new one. The hash of the body tells
 * them apart. A ping may have the same body as often as it likes; so may a dispatch, but not within seconds.
 */
function keysOf({ headers, body }: Parameters<Provider['parse']>[0], events: readonly WebhookEvent[]) {
  const event = headers['x-github-event'] ?? '';
  if (event === 'ping') return { semanticKeys: [] };
  if (event.endsWith('_dispatch')) return { semanticKeys: [], mayRepeat: true } as const;
  const results = events.flatMap((each) => checkKey('github', each) ?? []);
  return { semanticKeys: results, bytesKey: () => bodyKey(body) };
}
