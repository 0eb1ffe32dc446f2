import type { JsonObject, Parsed, Provider } from '../../types.ts';
import { parseAlerts } from '../kit/alerts.ts';
import { event, noPerson } from '../kit/event.ts';
import { hostOf, idAt, textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';

/** States of a rule that have a name among alerts; the others (`no_data`, `pending`, `paused`) keep theirs. */
const STATES: Readonly<Record<string, string>> = { alerting: 'firing', ok: 'resolved' };

/**
 * A notification of Grafana's legacy alerting (until version 10): one rule with its state and no list of alerts. Null for any other
 * payload. Source: grafana.com/docs, v8, "Legacy alert notifications", webhook.
 */
function parseLegacyAlert(payload: JsonObject): Parsed | null {
  const rule = idAt(payload, 'ruleId');
  const state = textAt(payload, 'state');
  if (rule === null || state === null || Object.hasOwn(payload, 'alerts')) return null;
  const url = textAt(payload, 'ruleUrl');
  const host = hostOf(url);
  const parsed = event(payload, {
    type: `alert.${(Object.hasOwn(STATES, state) ? STATES[state] : null) ?? state}`,
    externalId: `grafana:${host === null ? '' : `${host}/`}rule:${rule}`,
    sender: noPerson('grafana', 'Grafana'),
    title: textAt(payload, 'ruleName') ?? textAt(payload, 'title'),
    details: textAt(payload, 'message'),
    url,
  });
  // It carries no time: that a rule fires again looks like the same notification sent twice.
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/**
 * Grafana Alerting, a contact point of type webhook. The secret is the credentials of its Authorization header. From
 * Grafana 12 on it can sign instead: `scheme: hmac`, `header: x-grafana-alerting-signature`, and, with a timestamp
 * header, `timestamp: header:…` and `signedContent: '{timestamp}:{body}'`. Source: grafana.com/docs, "Configure webhook
 * notifications".
 */
export const grafana: Provider = createProvider({
  name: 'grafana',
  signature: { scheme: 'token' },
  headers: () => ({ 'user-agent': 'Grafana' }),
  parse: (payload) => parseLegacyAlert(payload) ?? parseAlerts('grafana', 'Grafana', payload),
  form: ({ url, secretCommand }) => ({
    'Contact point › Integration': 'Webhook',
    URL: url,
    'HTTP Method': 'POST',
    'Authorization Header › Scheme': 'Bearer',
    'Authorization Header › Credentials': secretCommand,
  }),
});
