import type { JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import { noPerson } from '../kit/no-person.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/**
 * Reads a verified event, also a thin one (`v2.core.event`), which only names its object. Stripe sends an event again
 * for three days, under its id; ids are unique over all accounts.
 */
export function parse(payload: JsonObject): Parsed {
  const id = idAt(payload, 'id');
  const subject = objectAt(payload, 'data', 'object') ?? objectAt(payload, 'related_object');
  const subjectId = idAt(subject ?? undefined, 'id');
  const parsed = event(payload, {
    type: textAt(payload, 'type') ?? 'unknown',
    externalId: subjectId === null ? null : `stripe:${subjectId}`,
    sender: noPerson('stripe', 'Stripe'),
    hasStrangersWords: !OWN_EVENTS.test(textAt(payload, 'type') ?? ''),
    title: titleOf(payload, subject, subjectId),
    url: textAt(subject ?? undefined, 'hosted_invoice_url'),
  });
  return { ok: true, events: [parsed], semanticKeys: id === null ? [] : [`event:${id}`] };
}

/** What the account's own people or Stripe write; all others may hold a customer's words (name, custom fields). */
const OWN_EVENTS = /^(?:account|balance|coupon|payout|plan|price|product|promotion_code|reporting|topup)\./;

/** `invoice.payment_failed: in_1Q… (Invoice of January)` */
function titleOf(payload: JsonObject, subject: JsonObject | null, id: string | null): string | null {
  const type = textAt(payload, 'type');
  if (type === null) return null;
  const description = textAt(subject ?? undefined, 'description');
  return `${type}${id === null ? '' : `: ${id}`}${description === null ? '' : ` (${description})`}`;
}
