import type { JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import { noPerson } from '../kit/no-person.ts';
import { textAt } from '../kit/payload.ts';

/** Where senders name the event: the specification says `type`. */
const TYPES = ['type', 'event_type', 'eventType', 'event'] as const;

/**
 * Reads a verified message of any sender. What it is about, the specification does not say, so that every message has
 * a flow of its own.
 */
export function parse(payload: JsonObject, { request }: ReadContext): Parsed {
  const type = TYPES.map((name) => textAt(payload, name)).find((found) => found !== null && found !== '');
  const parsed = event(payload, {
    type: type ?? 'message',
    sender: noPerson('standard', request.headers['user-agent'] ?? 'standard'),
    title: type ?? null,
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}
