import type { JsonObject, Parsed, Sender, WebhookEvent } from '../../types.ts';
import { authoredBy, event, noPerson } from '../kit/event.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../kit/payload.ts';

/**
 * Who did it: a user, always a member of the account, or no person (an integration, a rule). An agent of a kind that is
 * not known counts as a person of whom nothing is told.
 */
function senderOf(agent: JsonObject | null): Sender {
  const id = idAt(agent, 'id');
  const type = textAt(agent, 'type');
  if (agent === null || id === null) return noPerson('pagerduty', 'PagerDuty');
  const name = textAt(agent, 'summary') ?? id;
  if (type !== null && /^(?:service|integration|.*_integration|event_rule)(?:_reference)?$/.test(type)) {
    return noPerson(id, name);
  }
  const association = type === 'user_reference' || type === 'user' ? 'user' : null;
  return { id, name, kind: 'person', association, appId: null };
}

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
 * Reads the messages of a V2 or V1 webhook, each of which is an event of its own. The sender is the agent of its log entry; those to
 * whom the incident is assigned did nothing. Source: developer.pagerduty.com, "Webhooks V2 overview" and "V1 overview".
 */
function parseMessages(payload: JsonObject): Parsed {
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

/** V1 names only the user who changed the status last, and no one where the incident is new. */
function firstVersionAgent(message: JsonObject, incident: JsonObject): JsonObject | null {
  const user =
    textAt(message, 'type') === 'incident.trigger' ? null : objectAt(incident, 'last_status_change_by');
  return user === null ? null : { ...user, type: 'user', summary: textAt(user, 'name') };
}

/** Reads a verified V3 webhook, which carries exactly one event, or an older one. */
export function parse(payload: JsonObject): Parsed {
  if (Array.isArray(payload.messages)) return parseMessages(payload);
  const inner = objectAt(payload, 'event') ?? {};
  const type = textAt(inner, 'event_type') ?? 'unknown';
  const data = objectAt(inner, 'data') ?? {};
  const incident = incidentOf(data);
  const about = incident ?? data;
  const id = idAt(about, 'id');
  const kind = incident === null ? `${(textAt(about, 'type') ?? 'thing').replace(/_reference$/, '')}:` : '';
  const sender = senderOf(objectAt(inner, 'agent'));
  const text = type === 'incident.annotated' ? textAt(data, 'content') : null;
  const parsed = event(payload, {
    type,
    externalId: id === null ? null : `pagerduty:${kind}${id}`,
    sender,
    text,
    // An integration that adds a note passes on the words of any writer.
    author: text === null || sender.kind === 'system' ? null : authoredBy(sender),
    // Anyone who knows the mail address of an integration can write to it.
    hasStrangersWords: /mail/i.test(textAt(inner, 'agent', 'type') ?? ''),
    writtenAt: timeAt(inner, 'occurred_at'),
    title: textAt(about, 'title') ?? textAt(about, 'summary'),
    url: textAt(about, 'html_url'),
  });
  const eventId = idAt(inner, 'id');
  return { ok: true, events: [parsed], semanticKeys: eventId === null ? [] : [`event:${eventId}`] };
}

/** The incident itself, or the one to which a note, a responder, a status update belongs. */
export function incidentOf(data: JsonObject): JsonObject | null {
  return (
    objectAt(data, 'incident') ?? (/^incident(?:_reference)?$/.test(textAt(data, 'type') ?? '') ? data : null)
  );
}
