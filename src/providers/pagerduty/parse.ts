import type { JsonObject, Parsed } from '../../types.ts';
import { authoredBy, event } from '../generic/event.ts';
import { idAt, objectAt, textAt, timeAt } from '../kit/payload.ts';
import { parseMessages } from './older.ts';
import { senderOf } from './sender.ts';

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
    // An integration that adds a note passes on the words of whoever wrote to it.
    author: text === null || sender.kind === 'system' ? null : authoredBy(sender),
    // Whoever knows the address of an integration by mail can write to it.
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
