import type { Headers, JsonObject, Parsed, Provider } from '../../types.ts';
import { event, noPerson } from '../kit/event.ts';
import { idAt, textAt } from '../kit/payload.ts';
import { createProvider, type ReadContext } from '../provider.ts';

/**
 * Reads a verified webhook. Its type is the topic (`orders/create`) and its shop a header, both outside the signature;
 * the payload is the bare resource.
 */
function parse(payload: JsonObject, { request }: ReadContext): Parsed {
  const type = topicOf(request.headers);
  if (type === null) return { ok: false, reason: 'the X-Shopify-Topic header is missing or no topic' };
  const parsed = event(payload, {
    type,
    externalId: externalId(type, payload, request.headers),
    sender: noPerson('shopify', 'Shopify'),
    hasStrangersWords: !OWN_TOPICS.test(type),
    title: textAt(payload, 'title') ?? textAt(payload, 'name'),
    url: textAt(payload, 'order_status_url'),
  });
  return { ok: true, events: [parsed], semanticKeys: [] };
}

/** Topics of what the shop's own people write; all others may hold a customer's words (name, note). */
const OWN_TOPICS =
  /^(?:app|bulk_operations|collections|inventory_items|inventory_levels|locations|products|shop|themes)\//;

function topicOf(headers: Headers): string | null {
  const topic = headers['x-shopify-topic'] ?? '';
  return /^[a-z0-9_]+(?:\/[a-z0-9_]+)*$/.test(topic) ? topic : null;
}

/**
 * `shopify:acme.myshopify.com/order/820982911946154508`. Ids are larger than a number can hold exactly, so that the
 * text `gid://shopify/Order/…` counts before them.
 */
function externalId(topic: string, payload: JsonObject, headers: Headers): string | null {
  const [, kind, number] =
    /^gid:\/\/shopify\/([A-Za-z]+)\/(\d+)/.exec(textAt(payload, 'admin_graphql_api_id') ?? '') ?? [];
  const id = number ?? idAt(payload, 'id');
  const shop = /^[a-z0-9.-]+$/i.exec(headers['x-shopify-shop-domain'] ?? '')?.[0] ?? null;
  if (id === null || shop === null || /\s/.test(id)) return null;
  return `shopify:${shop}/${kind ?? topic.split('/')[0]}/${id}`.toLowerCase();
}

/**
 * Shopify: HMAC-SHA256 of the raw body in base64, under the app's client secret. Topic, shop and ids are headers that
 * the signature does not cover. Source: shopify.dev, "Verify webhook deliveries".
 */
export const shopify: Provider = createProvider({
  name: 'shopify',
  signature: {
    header: 'x-shopify-hmac-sha256',
    encoding: 'base64',
    deliveryId: 'header:x-shopify-webhook-id',
  },
  headers: ({ type, now }) => ({
    'x-shopify-topic': type,
    'x-shopify-shop-domain': 'acme.myshopify.com',
    'x-shopify-api-version': '2026-10',
    'x-shopify-triggered-at': now.toISOString(),
  }),
  eventName: topicOf,
  parse,
  form: ({ url, enterCommand }) => ({
    Event: 'Order creation, …',
    Format: 'JSON',
    URL: url,
    'Client secret, or the key on the page of notifications': `made by Shopify: ${enterCommand}`,
  }),
});
