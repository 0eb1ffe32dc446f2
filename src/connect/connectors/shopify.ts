import { failure, usageError } from '../../errors.ts';
import { getPath, isJsonObject } from '../../lib/json.ts';
import { idAt, objectAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { answerJson } from '../../providers/kit/reply.ts';
import type { CallAnswer, JsonObject, Sent } from '../../types.ts';
import type { ApiRequest } from '../api.ts';
import type { Connector, HookSettings, RemoteHook } from '../connector.ts';
import { usedEvents } from '../events.ts';

const PATH = '/admin/api/2026-10/graphql.json';
const LIST = `query($after: String) { shop { myshopifyDomain } webhookSubscriptions(first: 100, after: $after) {
  nodes { id topic uri } pageInfo { hasNextPage endCursor } } }`;

/**
 * Subscriptions of one shop. Shopify has one for each topic: those that lead to the same URL are one hook here, whose id names all
 * of them (`ORDERS_CREATE=123+ORDERS_PAID=124`). They are signed with the client secret of the app, which its webhook has to know.
 * Source: shopify.dev, GraphQL Admin API 2026-10, `webhookSubscriptionCreate`, `webhookSubscriptionUpdate`.
 */
export const shopify: Connector = {
  name: 'shopify',
  targets: 'the name of the shop',
  example: 'acme',

  target(text) {
    const name = text.replace(/^https:\/\//, '').replace(/\.myshopify\.com\/?$/, '');
    if (/^[a-z0-9][a-z0-9-]*$/i.test(name)) return { kind: 'shop', name: name.toLowerCase() };
    throw usageError(
      `${text} is no name of a shop`,
      'Write it as in its address acme.myshopify.com: hookctl connect shopify acme',
    );
  },
  eventsOf(webhook) {
    const nameOf = (type: string, isGroup: boolean) => [isGroup ? `${type}.*` : topicOf(type)];
    const used = usedEvents(webhook, { texts: [], nameOf, all: ['*'] });
    const group = used.find((name) => name.endsWith('*'));
    if (group === undefined) return used;
    throw usageError(`Shopify has no hook for ${group}`, 'Name each topic: trigger: orders/create');
  },
  authorize: ({ token }) => ({ 'x-shopify-access-token': token.reveal() }),
  classify,
  right({ name }, { status, text }) {
    if (status === 200 && !/access|scope|permission|cannot create/i.test(text)) return null;
    const page = `https://admin.shopify.com/store/${name}/settings/apps/development`;
    return status === 401
      ? `Shopify does not know the token. Make one: ${page}`
      : `Its token needs the read scope of each topic (read_orders for orders/create). Change it: ${page}`;
  },

  list: () => listed(null),
  readList({ json }, { name }) {
    const shop = textAt(json, 'data', 'shop', 'myshopifyDomain');
    if (shop !== null && shop !== `${name}.myshopify.com`) {
      throw failure('other_shop', `the token is for the shop ${shop}, not for ${name}`, {
        fix: 'Set SHOPIFY_URL and SHOPIFY_ACCESS_TOKEN, or credentials.shopify, to that shop.',
      });
    }
    return objectsAt(json, 'data', 'webhookSubscriptions', 'nodes').map((each) => ({
      ...{ id: partId(each), url: textAt(each, 'uri') ?? '', events: [textAt(each, 'topic') ?? ''] },
      ...{ isActive: true, disabled: null, hasSecret: null },
    }));
  },
  next({ json }) {
    const page = ['data', 'webhookSubscriptions', 'pageInfo'];
    const cursor = textAt(json, ...page, 'endCursor');
    return getPath(json, [...page, 'hasNextPage']) === true && cursor !== null ? listed(cursor) : null;
  },
  join(parts) {
    const byUrl = Map.groupBy(parts, ({ url }) => url);
    return [...byUrl.values()].map(
      (same): RemoteHook => ({
        ...{ id: idOf(same.map(({ id }) => id)), url: same[0]?.url ?? '' },
        events: same.flatMap(({ events }) => events ?? []).toSorted(),
        ...{ isActive: true, disabled: null, hasSecret: null },
      }),
    );
  },
  create: (_, hook) => change(new Map(), hook),
  readCreated(answer) {
    const id = idIn(answer.json);
    if (id !== '') return { id, secret: null };
    throw failure('no_hook_id', `the answer names no subscription: ${answer.text.slice(0, 200)}`);
  },
  update: (_, id, hook) => ({ ...change(partsOf(id), hook), isRepeatable: true }),
  readUpdated: ({ json }) => idIn(json),
  repoint: (_, id, hook) => ({ ...change(partsOf(id), hook), isRepeatable: true }),
  remove: (_, id) => ({ ...change(partsOf(id), { url: '', events: [] }), isRepeatable: true }),
};

/** `ORDERS_CREATE` of `orders/create`. */
function topicOf(type: string): string {
  return type.replaceAll(/[/.]/g, '_').toUpperCase();
}

function listed(after: string | null): ApiRequest {
  return { method: 'POST', path: PATH, body: { query: LIST, variables: { after } }, isRepeatable: true };
}

/** `ORDERS_CREATE=123` of a subscription, whose id is `gid://shopify/WebhookSubscription/123`. */
function partId(subscription: JsonObject): string {
  return `${textAt(subscription, 'topic')}=${/\d+$/.exec(idAt(subscription, 'id') ?? '')?.[0] ?? ''}`;
}

function idOf(parts: readonly string[]): string {
  return parts.toSorted().join('+');
}

/** Ids of subscriptions by topic. */
function partsOf(id: string): ReadonlyMap<string, string> {
  return new Map(
    id.split('+').flatMap((part): [string, string][] => {
      const [topic = '', number = ''] = part.split('=');
      return number === '' ? [] : [[topic, `gid://shopify/WebhookSubscription/${number}`]];
    }),
  );
}

/** All in one request, one mutation after the other: what is there moves, what is missing is made, what is too much goes. */
function change(parts: ReadonlyMap<string, string>, { url, events }: Pick<HookSettings, 'url' | 'events'>) {
  const gone = [...parts].filter(([topic]) => !events.includes(topic));
  const made = 'userErrors { field message } webhookSubscription { id topic }';
  const text = (value: string) => JSON.stringify(value);
  const lines = [
    ...events.map((topic, at) => {
      const id = parts.get(topic);
      return id === undefined
        ? `m${at}: webhookSubscriptionCreate(topic: ${topic}, webhookSubscription: {uri: ${text(url)}}) { ${made} }`
        : `m${at}: webhookSubscriptionUpdate(id: ${text(id)}, webhookSubscription: {uri: ${text(url)}}) { ${made} }`;
    }),
    ...gone.map(
      ([, id], at) =>
        `d${at}: webhookSubscriptionDelete(id: ${text(id)}) { userErrors { field message } deletedWebhookSubscriptionId }`,
    ),
  ];
  return { method: 'POST', path: PATH, body: { query: `mutation {\n${lines.join('\n')}\n}` } } as const;
}

/** The id of the hook that the subscriptions of an answer are. */
function idIn(json: unknown): string {
  const data = isJsonObject(json) ? (objectAt(json, 'data') ?? {}) : {};
  const parts = Object.values(data).flatMap((done) => {
    const made = isJsonObject(done) ? objectAt(done, 'webhookSubscription') : null;
    return made === null ? [] : [partId(made)];
  });
  return idOf(parts);
}

/** Status 200 also says what was refused. A subscription that is gone already counts as deleted. */
function classify(answer: CallAnswer): Sent | null {
  if (answer.status !== 200) return null;
  const body = answerJson(answer);
  const [error] = objectsAt(body, 'errors');
  if (error !== undefined) {
    const code = textAt(error, 'extensions', 'code');
    const reason = textAt(error, 'message') ?? code ?? 'Shopify refuses it';
    if (code === 'THROTTLED') return { result: 'again', reason, afterMs: 1_000, certain: true };
    return code === 'INTERNAL_SERVER_ERROR'
      ? { result: 'again', reason, afterMs: null, certain: false }
      : { result: 'refused', reason };
  }
  const refused = Object.entries(isJsonObject(body) ? (objectAt(body, 'data') ?? {}) : {}).flatMap(
    ([name, done]) => {
      const [first] = isJsonObject(done) && !name.startsWith('d') ? objectsAt(done, 'userErrors') : [];
      return first === undefined ? [] : [textAt(first, 'message') ?? 'Shopify refuses it'];
    },
  );
  return refused.length === 0 ? null : { result: 'refused', reason: refused.join('; ') };
}
