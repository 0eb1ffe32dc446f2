import type { Provider } from '../../types.ts';
import { SIGNING_SECRET_PREFIX } from '../kit/secret-key.ts';
import { signStandardWebhook } from '../kit/standard-webhooks.ts';
import { authorOf } from './author.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { samples } from './samples.ts';
import { TOKEN_HEADER, verify } from './verify.ts';
import { webhook } from './webhook.ts';

/**
 * GitLab, gitlab.com and self-managed. Its hooks are switched off after four failures in a row, whatever the status.
 * Source: docs.gitlab.com, "Webhooks" and "Webhook events"; gitlab-org/gitlab `web_hook_service.rb`.
 */
export const gitlab: Provider = {
  name: 'gitlab',
  label: 'GitLab',
  // "25 MB" (docs.gitlab.com, GitLab.com settings, webhooks).
  bodyLimit: 25 * 1024 * 1024,
  defaultAssociations: ['member'],
  webhook,
  samples,
  secretHeaders: [TOKEN_HEADER],

  verify,

  sign(body, { type, secret, deliveryId, now }) {
    const value = secret.reveal();
    const proof = value.startsWith(SIGNING_SECRET_PREFIX)
      ? signStandardWebhook(body, { id: deliveryId, now, secret: value })
      : { [TOKEN_HEADER]: Buffer.from(value, 'utf8').toString('latin1') };
    return {
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitLab/hookctl',
        'idempotency-key': deliveryId,
        'x-gitlab-event': hookName(type),
        'x-gitlab-instance': 'https://gitlab.com',
        ...proof,
      },
    };
  },

  // The same on retries; `X-Gitlab-Event-UUID` is shared by hooks that call each other, and no delivery's own.
  deliveryId: (headers) => headers['webhook-id'] ?? headers['idempotency-key'] ?? null,
  eventName: (headers) => headers['x-gitlab-event'] ?? null,

  parse,
  authorOf,
  reply,

  formFields: ({ url, secretCommand }) => [
    { label: 'URL', value: url },
    { label: 'Secret token', value: secretCommand },
    { label: 'Trigger', value: 'Comments, Issues events, Merge request events' },
    { label: 'SSL verification', value: 'on' },
  ],
};

/** `merge_request.open` → `Merge Request Hook` */
function hookName(type: string): string {
  const words = (type.split('.')[0] ?? type).split('_');
  return [...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)), 'Hook'].join(' ');
}
