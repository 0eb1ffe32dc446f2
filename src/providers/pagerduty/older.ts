import type { JsonObject, Parsed, WebhookEvent } from '../../types.ts';
import { event } from '../generic/event.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../kit/payload.ts';
import { senderOf } from './sender.ts';

/** Names of V3 for those of V2 (and V1, which has the same), so that one trigger takes both. */
const TYPES: Readonly<Record<string, string>> = {
  'incident.trigger': 'incident.triggered',
  'incident.acknowledge': 'incident.acknowledged',
  'incident.unacknowledge': 'incident.unacknowledged',
  'incident.resolve': 'incident.resolved',
  'incident.assign': 'incident.reassigned',
  'incident.escalate': 'incident.escalated',
  'incident.delegate': 'incident.delegated',
  'incident.annotate': 'incident.annotated',
};

/**
 * Reads the messages of a V2 or V1 webhook, each of which is an event of its own. Who acted is the agent of its log entry; those to
 * whom the incident is assigned did nothing. Source: developer.pagerduty.com, "Webhooks V2 overview" and "V1 overview".
 */
export function parseMessages(payload: JsonObject): Parsed {
  const messages = objectsAt(payload, 'messages');
  const ids = messages.map((message) => idAt(message, 'id'));
  const isKnown = ids.length > 0 && ids.every((id) => id !== null);
  return {
    ok: true,
    events: messages.map(toEvent),
    semanticKeys: isKnown ? [`messages:${ids.join(':')}`] : [],
  };
}

function toEvent(message: JsonObject): WebhookEvent {
  const name = textAt(message, 'event') ?? textAt(message, 'type') ?? 'unknown';
  const type = (Object.hasOwn(TYPES, name) ? TYPES[name] : null) ?? name;
  const incident = objectAt(message, 'incident') ?? objectAt(message, 'data', 'incident') ?? {};
  const id = idAt(incident, 'id');
  const [entry = {}] = objectsAt(message, 'log_entries');
  const agent = objectAt(entry, 'agent') ?? firstVersionAgent(message, incident);
  const isNote = type === 'incident.annotated';
  return event(message, {
    type,
    externalId: id === null ? null : `pagerduty:${id}`,
    sender: senderOf(agent),
    withoutText: isNote ? 'notes are read from V3 webhooks alone: subscribe with one of those' : null,
    // An incident may be made of a mail, or of what an integration was sent.
    hasStrangersWords: /mail/i.test(textAt(entry, 'channel', 'type') ?? ''),
    writtenAt: timeAt(message, 'created_on'),
    title:
      textAt(incident, 'title') ??
      textAt(incident, 'summary') ??
      textAt(incident, 'trigger_summary_data', 'subject') ??
      textAt(incident, 'trigger_summary_data', 'description'),
    url: textAt(incident, 'html_url'),
  });
}

/** V1 names only who changed the status last, and nobody where the incident is new. */
function firstVersionAgent(message: JsonObject, incident: JsonObject): JsonObject | null {
  const user =
    textAt(message, 'type') === 'incident.trigger' ? null : objectAt(incident, 'last_status_change_by');
  return user === null ? null : { ...user, type: 'user', summary: textAt(user, 'name') };
}
