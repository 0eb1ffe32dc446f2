import type { JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import { noPerson } from '../kit/no-person.ts';
import { hostOf, idAt, textAt } from '../kit/payload.ts';

/** States of a rule that have a name among alerts; the others (`no_data`, `pending`, `paused`) keep theirs. */
const STATES: Readonly<Record<string, string>> = { alerting: 'firing', ok: 'resolved' };

/**
 * A notification of Grafana's legacy alerting (until version 10): one rule with its state and no list of alerts. Null for any other
 * payload. Source: grafana.com/docs, v8, "Legacy alert notifications", webhook.
 */
export function parseLegacyAlert(payload: JsonObject): Parsed | null {
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
