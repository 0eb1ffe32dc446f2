import type { Provider } from '../../types.ts';
import { textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';
import { parse } from './parse.ts';
import { reply } from './reply.ts';

/**
 * PagerDuty, V3 webhooks: the header lists one `v1` for each secret. A webhook is sent up to four times more, under
 * one id. Source: developer.pagerduty.com, "Webhooks overview", "Verifying signatures".
 */
export const pagerduty: Provider = createProvider({
  name: 'pagerduty',
  // "dropped over 256 KB"
  bodyLimit: 1024 * 1024,
  defaultAssociations: ['user'],
  signature: {
    header: 'x-pagerduty-signature',
    prefix: 'v1=',
    separator: ',',
    deliveryId: 'header:x-webhook-id',
  },
  headers: () => ({ 'user-agent': 'PagerDuty-Webhook/V3.0' }),
  parse,
  authorOf: (payload, path) =>
    path[0] === 'event' && path.at(-1) === 'content' ? textAt(payload, 'event', 'agent', 'summary') : null,
  reply,
  form: ({ url, enterCommand }) => ({
    'Webhook URL': url,
    'Event Subscription': 'incident.triggered, incident.annotated, incident.resolved',
    'Signing secret': `made by PagerDuty and shown once: ${enterCommand}`,
  }),
});
