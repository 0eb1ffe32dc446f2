import type { Provider } from '../../types.ts';
import { createProvider } from '../provider.ts';
import { authorOf, eventName, parse } from './parse.ts';
import { reply } from './reply.ts';

/**
 * Gitea, Forgejo and Gogs. They send GitHub's headers, too, but sign otherwise: what is signed is the JSON, also where
 * it is in a form. Only their own headers count here. Without a secret they send empty signatures. Source: go-gitea
 * `services/webhook/deliver.go`; forgejo.org/docs, "Webhooks".
 */
export const gitea: Provider = createProvider({
  name: 'gitea',
  defaultAssociations: ['owner', 'member'],
  signature: {
    header: ['x-forgejo-signature', 'x-gitea-signature', 'x-gogs-signature'],
    signedContent: '{payload}',
    deliveryId: 'header:x-gitea-delivery',
  },
  headers: ({ type, deliveryId }) => {
    const event = type.split('.')[0] ?? type;
    return {
      'x-gitea-event': event,
      'x-gitea-event-type': event,
      'x-gogs-delivery': deliveryId,
      'x-gogs-event': event,
      'x-github-delivery': deliveryId,
      'x-github-event': event,
    };
  },
  deliveryId: (headers) =>
    headers['x-forgejo-delivery'] ?? headers['x-gitea-delivery'] ?? headers['x-gogs-delivery'] ?? null,
  eventName,
  parse,
  authorOf,
  reply,
  form: ({ url, secretCommand }) => ({
    'Target URL': url,
    'HTTP Method': 'POST',
    'POST Content Type': 'application/json',
    Secret: secretCommand,
    'Trigger On': 'Issues, Issue Comment, Pull Request, Pull Request Comment, Pull Request Reviewed',
  }),
});
