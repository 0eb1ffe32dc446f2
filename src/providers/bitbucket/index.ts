import type { Provider } from '../../types.ts';
import { createProvider } from '../provider.ts';
import { eventName, parse } from './parse.ts';
import { reply } from './reply.ts';
import { authorOf } from './sender.ts';

/**
 * Bitbucket Cloud, Server and Data Center: only the body is signed, the name of the event is not. Server names the
 * installation only in the links of newer versions; `options.baseUrl` says it where they are missing. Source:
 * support.atlassian.com, "Manage webhooks"; confluence.atlassian.com, "Event payload".
 */
export const bitbucket: Provider = createProvider({
  name: 'bitbucket',
  defaultAssociations: ['member'],
  signature: { header: 'x-hub-signature', prefix: 'sha256=', deliveryId: 'header:x-request-uuid' },
  otherOptions: ['baseUrl'],
  headers: ({ type }) => ({
    'x-event-key': type,
    'x-attempt-number': '1',
    'user-agent': 'Bitbucket-Webhooks/2.0',
  }),
  // Cloud, and Server.
  deliveryId: (headers) => headers['x-request-uuid'] ?? headers['x-request-id'] ?? null,
  eventName,
  parse,
  authorOf,
  reply,
  form: ({ url, secretCommand }) => ({
    URL: url,
    Secret: secretCommand,
    Triggers: 'Pull request: Created, Comment created; Issue: Created, Comment created',
  }),
});
