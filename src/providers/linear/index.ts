import type { Ack, Provider } from '../../types.ts';
import { createProvider } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';
import { authorOf } from './sender.ts';

const OK: Ack = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/**
 * Linear. The time of signing is a field of the signed body; the header with a time is not signed. Linear wants exactly
 * a 200, and switches a webhook off that does not give it. Source: @linear/sdk `webhooks`; linear.app/developers/webhooks.
 */
export const linear: Provider = createProvider({
  name: 'linear',
  // What Linear's own library takes.
  bodyLimit: 5 * 1024 * 1024,
  defaultAssociations: ['user'],
  signature: {
    header: 'linear-signature',
    timestamp: 'webhookTimestamp',
    timestampUnit: 'ms',
    tolerance: 60,
    deliveryId: 'header:linear-delivery',
  },
  headers: ({ type }) => ({ 'linear-event': type.split('.')[0] ?? type, 'user-agent': 'Linear-Webhook' }),
  eventName: (headers) => headers['linear-event'] ?? null,
  parse,
  acknowledge: (_, parsed) => (parsed.ok ? OK : null),
  authorOf,
  reply,
  form: ({ url, enterCommand }) => ({
    URL: url,
    'Data change events': 'Issues, Comments',
    'Signing secret': `made by Linear: ${enterCommand}`,
  }),
});
