import { createHash } from 'node:crypto';
import type { JsonObject, Parsed, WebhookEvent } from '../../types.ts';
import { event, noPerson } from './event.ts';
import { hostOf, idAt, objectAt, objectsAt, textAt } from './payload.ts';

/**
 * The envelope of Alertmanager (version 4, and 3 of before 0.5), which Grafana sends with a few fields more: the alerts of one group. Each
 * is an event of its own, `alert.firing` or `alert.resolved`. Its payload is the alert, with the rest of the envelope
 * as `group`: `labels.severity`, `group.receiver`.
 */
export function parseAlerts(provider: string, label: string, payload: JsonObject): Parsed {
  const { alerts: _, ...group } = payload;
  if (!Array.isArray(payload.alerts)) return { ok: false, reason: 'the payload has no list of alerts' };
  const status = textAt(payload, 'status');
  const alerts = objectsAt(payload, 'alerts').map((alert) => withOlderFields(alert, status));
  const host = hostOf(textAt(payload, 'externalURL'));
  return {
    ok: true,
    events: alerts.map((alert) => toEvent({ ...alert, group }, { provider, label, host })),
    semanticKeys: [stateKey(payload, alerts)],
  };
}

/** An alert with what older versions leave out: its own status, and the fingerprint (before 0.19). */
function withOlderFields(alert: JsonObject, groupStatus: string | null): JsonObject {
  const status = textAt(alert, 'status') ?? groupStatus;
  const labels = objectAt(alert, 'labels');
  const fingerprint = idAt(alert, 'fingerprint') ?? (labels === null ? null : fingerprintOf(labels));
  return { ...alert, ...(status !== null && { status }), ...(fingerprint !== null && { fingerprint }) };
}

const FNV_OFFSET = 14_695_981_039_346_656_037n;
const FNV_PRIME = 1_099_511_628_211n;

/** The fingerprint that newer versions send for these labels. Source: prometheus/common `model/signature.go` (FNV-1a, 64 bits). */
export function fingerprintOf(labels: JsonObject): string {
  let hash = FNV_OFFSET;
  for (const name of Object.keys(labels).toSorted()) {
    const words = [name, String(labels[name])].flatMap((word) => [...Buffer.from(word, 'utf8'), 0xff]);
    for (const byte of words) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash.toString(16).padStart(16, '0');
}

interface Origin {
  readonly provider: string;
  readonly label: string;
  readonly host: string | null;
}

/** The subject is the alert by its labels, whose hash the fingerprint is: firing, resolved and firing again are one flow. */
function toEvent(payload: JsonObject, { provider, label, host }: Origin): WebhookEvent {
  const fingerprint = idAt(payload, 'fingerprint');
  const place = `${provider}:${host === null ? '' : `${host}/`}`;
  return event(payload, {
    type: `alert.${textAt(payload, 'status') ?? 'unknown'}`,
    externalId: fingerprint === null ? null : `${place}${fingerprint.replaceAll(/\s/g, '_')}`.toLowerCase(),
    sender: noPerson(provider, label),
    title: textAt(payload, 'annotations', 'summary') ?? textAt(payload, 'labels', 'alertname'),
    url: textAt(payload, 'generatorURL'),
  });
}

/**
 * A group is sent again every few hours as long as it fires: that is the same fact, until an alert comes, goes, or
 * starts anew. An alert's own key would not do: what is new in a group would fall with what is known of it.
 */
function stateKey(payload: JsonObject, alerts: readonly JsonObject[]): string {
  const states = alerts.map((alert) =>
    ['fingerprint', 'status', 'startsAt'].map((name) => textAt(alert, name) ?? '').join('@'),
  );
  const facts = [idAt(payload, 'groupKey'), textAt(payload, 'receiver'), ...states.toSorted()];
  return `alerts:${createHash('sha256').update(JSON.stringify(facts)).digest('hex')}`;
}
