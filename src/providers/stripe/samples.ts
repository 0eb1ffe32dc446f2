import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Events as Stripe sends them in test mode, cut to the fields that are read. */
export const samples: readonly Sample[] = [
  {
    type: 'invoice.payment_failed',
    build: (context) =>
      envelope('invoice.payment_failed', context, {
        id: `in_${code(context)}`,
        object: 'invoice',
        customer: 'cus_9s6XKzkNRiz8i3',
        amount_due: 1999,
        currency: 'eur',
        attempt_count: 2,
        description: 'Subscription of November',
        hosted_invoice_url: 'https://invoice.stripe.com/i/acct_1032D82eZvKYlo2C/test',
      }),
  },
  {
    type: 'charge.dispute.created',
    build: (context) =>
      envelope('charge.dispute.created', context, {
        id: `du_${code(context)}`,
        object: 'dispute',
        amount: 1000,
        charge: `ch_${code(context)}`,
        currency: 'eur',
        reason: 'product_not_received',
        status: 'needs_response',
      }),
  },
  {
    type: 'customer.subscription.deleted',
    build: (context) =>
      envelope('customer.subscription.deleted', context, {
        id: `sub_${code(context)}`,
        object: 'subscription',
        customer: 'cus_9s6XKzkNRiz8i3',
        status: 'canceled',
      }),
  },
];

function envelope(type: string, context: SampleContext, object: JsonObject): JsonObject {
  return {
    id: `evt_${code(context)}`,
    object: 'event',
    api_version: '2026-08-27.dahlia',
    created: Math.floor(context.now.getTime() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
}

function code({ nextNumber }: SampleContext): string {
  return `1Q${nextNumber().toString(36)}`;
}
