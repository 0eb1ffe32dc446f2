import { preset } from '../generic/preset.ts';
import { parse, topicOf } from './parse.ts';
import { samples } from './samples.ts';

/**
 * Shopify: HMAC-SHA256 of the raw body in base64, under the app's client secret. Topic, shop and ids are headers that
 * the signature does not cover. Source: shopify.dev, "Verify webhook deliveries".
 */
export const shopify = preset({
  name: 'shopify',
  label: 'Shopify',
  settings: {
    header: 'x-shopify-hmac-sha256',
    encoding: 'base64',
    deliveryId: 'header:x-shopify-webhook-id',
  },
  webhook: null,
  samples,
  headers: ({ type, now }) => ({
    'x-shopify-topic': type,
    'x-shopify-shop-domain': 'acme.myshopify.com',
    'x-shopify-api-version': '2026-10',
    'x-shopify-triggered-at': now.toISOString(),
  }),
  eventName: topicOf,
  parse,
  formFields: ({ url, enterCommand }) => [
    { label: 'Event', value: 'Order creation, …' },
    { label: 'Format', value: 'JSON' },
    { label: 'URL', value: url },
    {
      label: 'Client secret, or the key on the page of notifications',
      value: `made by Shopify: ${enterCommand}`,
    },
  ],
});
