import { preset } from '../generic/preset.ts';
import { parseAlerts } from '../kit/alert-envelope.ts';
import { parseLegacyAlert } from './legacy-alert.ts';
import { samples } from './samples.ts';

/**
 * Grafana Alerting, a contact point of type webhook. The secret is the credentials of its Authorization header. From
 * Grafana 12 on it can sign instead: `scheme: hmac`, `header: x-grafana-alerting-signature`, and, with a timestamp
 * header, `timestamp: header:…` and `signedContent: '{timestamp}:{body}'`. Source: grafana.com/docs, "Configure webhook
 * notifications".
 */
export const grafana = preset({
  name: 'grafana',
  label: 'Grafana',
  settings: { scheme: 'token' },
  webhook: null,
  samples,
  headers: () => ({ 'user-agent': 'Grafana' }),
  parse: (payload) => parseLegacyAlert(payload) ?? parseAlerts('grafana', 'Grafana', payload),
  formFields: ({ url, secretCommand }) => [
    { label: 'Contact point › Integration', value: 'Webhook' },
    { label: 'URL', value: url },
    { label: 'HTTP Method', value: 'POST' },
    { label: 'Authorization Header › Scheme', value: 'Bearer' },
    { label: 'Authorization Header › Credentials', value: secretCommand },
  ],
});
