import { idAt, objectAt, textAt, timeAt } from '../../lib/payload.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { authoredBy, event } from '../generic/event.ts';
import { noPerson } from '../no-person.ts';
import type { Parsed } from '../provider.ts';

/** Reads a verified V3 webhook, which carries exactly one event. */
export function parse(payload: JsonObject): Parsed {
  const inner = objectAt(payload, 'event') ?? {};
  const type = textAt(inner, 'event_type') ?? 'unknown';
  const data = objectAt(inner, 'data') ?? {};
  const incident = incidentOf(data);
  const id = idAt(incident ?? undefined, 'id');
  const sender = senderOf(inner);
  const text = type === 'incident.annotated' ? textAt(data, 'content') : null;
  const parsed = event(payload, {
    type,
    externalId: id === null ? null : `pagerduty:${id}`,
    sender,
    text,
    author: text === null ? null : authoredBy(sender),
    // Whoever knows the address of an integration by mail can write to it.
    hasStrangersWords: /mail/i.test(textAt(inner, 'agent', 'type') ?? ''),
    writtenAt: timeAt(inner, 'occurred_at'),
    title: textAt(incident ?? undefined, 'title') ?? textAt(incident ?? undefined, 'summary'),
    url: textAt(incident ?? undefined, 'html_url'),
  });
  const eventId = idAt(inner, 'id');
  return { ok: true, events: [parsed], semanticKeys: eventId === null ? [] : [`event:${eventId}`] };
}

/** The incident itself, or the one to which a note, a responder, a status update belongs. */
export function incidentOf(data: JsonObject): JsonObject | null {
  return objectAt(data, 'incident') ?? (textAt(data, 'type') === 'incident' ? data : null);
}

/**
 * Who did it: a user, who is a member of the account, or nobody (an integration, a rule). An agent of a kind that is
 * not known counts as a person of whom nothing is told.
 */
function senderOf(inner: JsonObject): Sender {
  const agent = objectAt(inner, 'agent');
  const id = idAt(agent ?? undefined, 'id');
  const type = textAt(agent ?? undefined, 'type');
  if (agent === null || id === null) return noPerson('pagerduty', 'PagerDuty');
  const name = textAt(agent, 'summary') ?? id;
  if (type !== null && /^(?:service|integration|.*_integration|event_rule)(?:_reference)?$/.test(type)) {
    return noPerson(id, name);
  }
  const association = type === 'user_reference' || type === 'user' ? 'user' : null;
  return { id, name, kind: 'person', association, appId: null };
}
