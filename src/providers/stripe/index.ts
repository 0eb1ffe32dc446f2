import type { JsonObject, Parsed, Provider } from '../../types.ts';
import { event, noPerson } from '../kit/event.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';
import { createProvider } from '../provider.ts';

/**
 * Reads a verified event, also a thin one (`v2.core.event`), which only names its object. Stripe sends an event again
 * for three days, under its id; ids are unique over all accounts.
 */
function parse(payload: JsonObject): Parsed {
  const id = idAt(payload, 'id');
  const subject = objectAt(payload, 'data', 'object') ?? objectAt(payload, 'related_object');
  const subjectId = idAt(subject, 'id');
  const parsed = event(payload, {
    type: textAt(payload, 'type') ?? 'unknown',
    externalId: subjectId === null ? null : `stripe:${subjectId}`,
    sender: noPerson('stripe', 'Stripe'),
    hasStrangersWords: !OWN_EVENTS.test(textAt(payload, 'type') ?? ''),
    title: titleOf(payload, subject, subjectId),
    url: textAt(subject, 'hosted_invoice_url'),
  });
  return { ok: true, events: [parsed], semanticKeys: id === null ? [] : [`event:${id}`] };
}

/** What the account's own people or Stripe write; all others may hold a customer's words (name, custom fields). */
const OWN_EVENTS = /^(?:account|balance|coupon|payout|plan|price|product|promotion_code|reporting|topup)\./;

/** `invoice.payment_failed: in_1Q… (Invoice of January)` */
function titleOf(payload: JsonObject, subject: JsonObject | null, id: string | null): string | null {
  const type = textAt(payload, 'type');
  if (type === null) return null;
  const description = textAt(subject, 'description');
  return `${type}${id === null ? '' : `: ${id}`}${description === null ? '' : ` (${description})`}`;
}

/**
 * Stripe. The key is the whole `whsec_…` as text, not what its base64 encodes; while a secret is rolled there are
 * several `v1`. `v0` proves nothing outside of test mode and is skipped. Unlike Stripe's own library, a time in the
 * future is refused, too. Source: stripe-node `Webhooks.ts`; docs.stripe.com, "Webhooks".
 */
export const stripe: Provider = createProvider({
  name: 'stripe',
  signature: {
    header: 'stripe-signature',
    prefix: 'v1=',
    separator: ',',
    timestamp: 'part:t',
    signedContent: '{timestamp}.{body}',
  },
  headers: () => ({ 'user-agent': 'Stripe/1.0 (hookctl)' }),
  parse,
  form: ({ url, enterCommand }) => ({
    'Endpoint URL': url,
    'Events to send': 'invoice.payment_failed, charge.dispute.created, …',
    'Signing secret': `made by Stripe (whsec_…): ${enterCommand}`,
  }),
});
