import type { Headers, JsonObject, Parsed } from '../../types.ts';
import { event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import { noPerson } from '../kit/no-person.ts';
import { idAt, textAt } from '../kit/payload.ts';

/**
 * Reads a verified webhook. Its type is the topic (`orders/create`) and its shop a header, both outside the signature;
 * the payload is the bare resource.
 */
export function parse(payload: JsonObject, { request }: ReadContext): Parsed {
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

export function topicOf(headers: Headers): string | null {
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
