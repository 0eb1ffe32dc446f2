import { expect, test } from 'vitest';
import { connect, disconnect } from '../../src/connect/operations.ts';
import { checkAll, repoint } from '../../src/connect/upkeep.ts';
import { startLoopback } from '../support/hook-apis/loopback.ts';
import { SENDERS } from '../support/hook-apis/senders.ts';
import { connectContext, order } from './support.ts';

/** A shop, and a webhook with a command for each topic. */
async function shop(triggers: readonly string[]) {
  const { spec } = { ...SENDERS.shopify };
  if (spec === undefined) throw new Error('there is no shop');
  const api = await startLoopback(spec);
  const db = (types: readonly string[]) =>
    JSON.stringify({
      schema_version: 1,
      webhooks: [
        {
          ...{ webhook_id: 'wh-1', name: 'mine', provider: 'shopify', endpoint: '/webhooks/shopify/wh-1' },
          secrets: [{ value: 'a-secret-of-the-webhook-0123456789' }],
          commands: types.map((trigger, at) => ({ id: `cmd-${at}`, trigger, template: 'See' })),
          created_at: '2026-01-01T00:00:00.000Z',
          updated_at: '2026-01-01T00:00:00.000Z',
        },
      ],
    });
  const context = await connectContext('shopify', api.url(), { db: db(triggers), patienceMs: 2_000 });
  const topics = () => api.hooks.map(({ events: [topic], url }) => `${topic} ${new URL(url).origin}`);
  const make = () => connect(context, order('shopify', 'acme', { webhook: 'mine' }));
  const record = () => {
    const [found] = context.store.connections();
    if (found === undefined) throw new Error('there is no connection');
    return found;
  };
  return { api, context, topics, make, record };
}

test('several topics are one hook: made, moved and removed in one call each', async () => {
  const { api, context, topics, make, record } = await shop([
    'orders/create',
    'orders/paid',
    'app/uninstalled',
  ]);
  expect((await make()).connection?.events).toEqual(['APP_UNINSTALLED', 'ORDERS_CREATE', 'ORDERS_PAID']);
  expect(topics()).toHaveLength(3);
  const before = api.calls.length;
  context.moveTo('https://second.example');
  await repoint(context, record());
  expect(api.calls).toHaveLength(before + 1);
  expect(topics().every((each) => each.endsWith('https://second.example'))).toBe(true);
  expect((await make()).outcome).toBe('kept');
  await disconnect(context, record());
  expect(api.hooks).toEqual([]);
});

test('a subscription that Shopify removed is drift; --fix makes it again, and the next move takes it along', async () => {
  const { api, context, topics, make, record } = await shop(['orders/create', 'orders/paid']);
  await make();
  api.hooks.splice(0, 1);
  const { connections } = await checkAll(context, { fix: false });
  expect(connections[0]?.differences).toMatchObject([{ field: 'events', is: 'ORDERS_PAID' }]);
  expect(await checkAll(context, { fix: true })).toMatchObject({
    connections: [{ state: 'mended' }],
    orphans: [],
  });
  expect(topics()).toHaveLength(2);
  context.moveTo('https://second.example');
  await repoint(context, record());
  expect(topics().toSorted()).toEqual([
    'ORDERS_CREATE https://second.example',
    'ORDERS_PAID https://second.example',
  ]);
});

test('a topic that is refused leaves nothing behind, and the message says why', async () => {
  const { api, context, make } = await shop(['orders/create', 'orders/paid']);
  api.failNext(
    {
      status: 200,
      isDone: true,
      body: JSON.stringify({
        data: {
          m0: {
            userErrors: [],
            webhookSubscription: { id: 'gid://shopify/WebhookSubscription/1', topic: 'X' },
          },
          m1: {
            userErrors: [{ field: ['topic'], message: 'You cannot create a subscription for this topic' }],
          },
        },
      }),
    },
    ({ body }) => String(body.query).startsWith('mutation'),
  );
  await expect(make()).rejects.toMatchObject({
    code: 'api_refused',
    message: expect.stringContaining('You cannot create a subscription for this topic'),
  });
  expect([api.hooks, context.store.connections()]).toEqual([[], []]);
});

test('a throttled shop is waited for; a token of another shop is refused; groups of topics are a mistake', async () => {
  const { api, context, make } = await shop(['orders/create']);
  api.failNext(
    {
      status: 200,
      body: JSON.stringify({ errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] }),
    },
    ({ body }) => String(body.query).startsWith('mutation'),
  );
  expect((await make()).outcome).toBe('made');
  await expect(connect(context, order('shopify', 'other', { webhook: 'mine' }))).rejects.toMatchObject({
    code: 'other_shop',
  });
  const all = await shop(['*']);
  await expect(all.make()).rejects.toMatchObject({ exitCode: 2 });
});
