import { preset } from '../generic/preset.ts';
import { parse } from './parse.ts';
import { samples } from './samples.ts';

/**
 * Stripe. The key is the whole `whsec_…` as text, not what its base64 stands for; while a secret is rolled there are
 * several `v1`. `v0` proves nothing outside of test mode and is skipped. Unlike Stripe's own library, a time in the
 * future is refused, too. Source: stripe-node `Webhooks.ts`; docs.stripe.com, "Webhooks".
 */
export const stripe = preset({
  name: 'stripe',
  label: 'Stripe',
  settings: {
    header: 'stripe-signature',
    prefix: 'v1=',
    separator: ',',
    timestamp: 'part:t',
    signedContent: '{timestamp}.{body}',
  },
  webhook: null,
  samples,
  headers: () => ({ 'user-agent': 'Stripe/1.0 (hookctl)' }),
  parse,
  formFields: ({ url, enterCommand }) => [
    { label: 'Endpoint URL', value: url },
    { label: 'Events to send', value: 'invoice.payment_failed, charge.dispute.created, …' },
    {
      label: 'Signing secret',
      value: `made by Stripe (whsec_…): ${enterCommand}`,
    },
  ],
});
