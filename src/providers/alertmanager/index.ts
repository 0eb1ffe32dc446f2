import { parseAlerts } from '../kit/alerts.ts';
import { preset } from '../preset.ts';
import { samples } from './samples.ts';

/**
 * Prometheus Alertmanager, which signs nothing: the secret is a bearer token of its `http_config`. It sends again after
 * a 5xx, and drops what gets any other refusal. Source: prometheus/alertmanager `notify/webhook/webhook.go`.
 */
export const alertmanager = preset({
  name: 'alertmanager',
  label: 'Alertmanager',
  settings: { scheme: 'token' },
  webhook: null,
  samples,
  headers: () => ({ 'user-agent': 'Alertmanager/0.27.0' }),
  parse: (payload) => parseAlerts('alertmanager', 'Alertmanager', payload),
  formFields: ({ url, secretCommand }) => [
    { label: 'receivers › webhook_configs › url', value: url },
    { label: 'http_config › authorization › type', value: 'Bearer' },
    { label: 'http_config › authorization › credentials', value: secretCommand },
    { label: 'send_resolved', value: 'true' },
  ],
});
