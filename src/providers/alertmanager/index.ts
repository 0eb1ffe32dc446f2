import type { Provider } from '../../types.ts';
import { parseAlerts } from '../kit/alerts.ts';
import { createProvider } from '../provider.ts';

/**
 * Prometheus Alertmanager, which signs nothing: the secret is a bearer token of its `http_config`. It sends the alerts
 * of one group at a time, again as long as they fire; `send_resolved` adds those that ended. It sends again after a 5xx,
 * and drops what gets any other refusal. Each alert is an event, `alert.firing` or `alert.resolved`, by its labels; the
 * rest of the envelope is its `group`.
 *
 * Source: prometheus/alertmanager `notify/webhook/webhook.go`; prometheus.io/docs, "Configuration", webhook_config.
 */
export const alertmanager: Provider = createProvider({
  name: 'alertmanager',
  signature: { scheme: 'token' },
  headers: () => ({ 'user-agent': 'Alertmanager/0.27.0' }),
  parse: (payload) => parseAlerts('alertmanager', 'Alertmanager', payload),
  form: ({ url, secretCommand }) => ({
    'receivers › webhook_configs › url': url,
    'http_config › authorization › type': 'Bearer',
    'http_config › authorization › credentials': secretCommand,
    send_resolved: 'true',
  }),
});
