import { beforeAll, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { expectJson } from '../support/management.ts';
import { receiverForTest } from '../support/receiver.ts';
import { type Server, settled } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

interface Delivery {
  readonly id: string;
  readonly webhook: string;
  readonly status: string;
}
interface Page {
  readonly items: readonly Delivery[];
  readonly next_cursor: string | null;
}

interface Status {
  readonly webhooks: readonly { readonly name: string; readonly last_delivery_id: string | null }[];
  readonly totals: object;
  readonly recent_deliveries: readonly object[];
}

const suite = serverOfSuite();
let server: Server;
/** Newest first. */
let ids: readonly string[];

beforeAll(async () => {
  server = suite().server;
  const made: string[] = [];
  for (const text of ['@agent analyze this', 'hello', '@agent plan it', 'thanks', 'bye']) {
    const { id } = await signedPost(server.url, comment(text));
    await settled(server.sandbox, id);
    made.unshift(id);
  }
  ids = made;
});

const get = <T>(path: string) => expectJson<T>(200, server, 'GET', path);

test('deliveries come newest first, in pages, of one status or one webhook', async () => {
  const first = await get<Page>('/api/deliveries?limit=2');
  const second = await get<Page>(`/api/deliveries?limit=2&cursor=${first.next_cursor}`);
  const third = await get<Page>(`/api/deliveries?limit=2&cursor=${second.next_cursor}`);
  expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(ids);
  expect(third.next_cursor).toBeNull();
  const ignored = await get<Page>('/api/deliveries?status=ignored');
  expect(ignored.items.map(({ status }) => status)).toEqual(['ignored', 'ignored', 'ignored']);
  expect((await get<Page>('/api/deliveries?webhook=jira')).items).toEqual([]);
  expect((await get<Page>('/api/webhooks/github/deliveries?limit=4')).items).toHaveLength(4);
  expect(await expectJson(400, server, 'GET', '/api/deliveries?status=lost')).toMatchObject({
    code: 'usage',
  });
  expect(await expectJson(404, server, 'GET', '/api/webhooks/none/deliveries')).toMatchObject({
    status: 404,
  });
});

test('one delivery comes with its bytes, and without its signature’s secret', async () => {
  const delivery = await get<{ body_base64: string; headers: object }>(`/api/deliveries/${ids[0]}`);
  expect(JSON.parse(Buffer.from(delivery.body_base64, 'base64').toString()).comment.body).toBe('bye');
  expect(delivery.headers).toHaveProperty('x-hub-signature-256');
  expect(await expectJson(404, server, 'GET', '/api/deliveries/dlv-none')).toMatchObject({
    code: 'not_found',
  });
});

test('a stored request goes to another URL as it came, signed anew when that is asked for', async () => {
  const there = await receiverForTest((_, count) => ({ status: count === 1 ? 202 : 500 }));
  const send = (body: object) =>
    expectJson(200, server, 'POST', `/api/deliveries/${ids[0]}/send`, { body: { to: there.url, ...body } });
  expect(await send({})).toEqual({ to: there.url, status: 202, error: null });
  expect(await send({ resign: true })).toEqual({ to: there.url, status: 500, error: null });
  const { headers, body_base64: body } = await get<{ headers: Record<string, string>; body_base64: string }>(
    `/api/deliveries/${ids[0]}`,
  );
  expect(there.received.map((request) => request.body.toString('base64'))).toEqual([body, body]);
  expect(there.received.map((request) => request.headers['x-hub-signature-256'])).toEqual([
    headers['x-hub-signature-256'],
    headers['x-hub-signature-256'],
  ]);
  const path = `/api/deliveries/${ids[0]}/send`;
  expect(await expectJson(400, server, 'POST', path, { body: { to: 'localhost:3000' } })).toMatchObject({
    code: 'usage',
    detail: expect.stringContaining('is not a URL'),
  });
  const none = { body: { to: 'http://127.0.0.1:9/hook' } };
  expect(await expectJson(200, server, 'POST', path, none)).toMatchObject({
    status: null,
    error: 'ECONNREFUSED',
  });
  const sent = (await get<{ items: { what: string; details: object }[] }>('/api/audit?limit=1')).items[0];
  expect(sent).toMatchObject({ what: 'delivery.send', details: { to: 'http://127.0.0.1:9' } });
});

test('a replay is a new delivery with tasks of its own', async () => {
  const original = ids.at(-1);
  const replay = { delivery: { replay_of: original, status: 'processed' }, tasks: [{ status: 'queued' }] };
  expect(await expectJson(201, server, 'POST', `/api/deliveries/${original}/replay`)).toMatchObject(replay);
  const wrong = { body: { repies: true } };
  expect(await expectJson(400, server, 'POST', `/api/deliveries/${original}/replay`, wrong)).toMatchObject({
    code: 'usage',
  });
  expect(await expectJson(404, server, 'POST', '/api/deliveries/dlv-none/replay')).toMatchObject({
    status: 404,
  });
});

test('the status tells of each webhook, of all together, and what became of the last deliveries', async () => {
  const body = { provider: 'github', name: 'told', enabled: false };
  const { webhook_id, endpoint } = await expectJson(201, server, 'POST', '/api/webhooks', { body });
  const status = await get<Status>('/api/status');
  expect(status.webhooks).toContainEqual(
    expect.objectContaining({
      ...{ webhook_id, endpoint, origin: 'dynamic', enabled: false },
      ...{ has_secret: true, public_url: null, total: 0 },
    }),
  );
  const github = status.webhooks.find(({ name }) => name === 'github');
  expect(github).toMatchObject({ total: 6, deliveries: { ignored: 3, processed: 3 } });
  expect(status.totals).toMatchObject({ deliveries: 6, by_status: { ignored: 3, processed: 3, failed: 0 } });
  expect(status.recent_deliveries[0]).toMatchObject({
    id: github?.last_delivery_id,
    commands: ['analyze'],
    task_ids: [expect.stringMatching(/^task-/)],
  });
});
