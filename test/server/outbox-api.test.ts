import { expect, test } from 'vitest';
import type { Page } from '../../src/server/api/bodies.ts';
import { outboxRoutes } from '../../src/server/api/outbox.ts';
import { localOperations } from '../../src/server/operations.ts';
import type { OutgoingView } from '../../src/views.ts';
import { startEngine } from '../support/engine.ts';

test('GET /outbox pages, POST retry and drop change what is there', async () => {
  const yaml =
    'webhooks: { github: { defaultCommand: go, commands: [{ name: go, action: label, options: { labels: [a, b, c] } }] } }\n' +
    'credentials: { github: { tokenEnv: T, baseUrl: "http://127.0.0.1:1" } }\n';
  const { deliver, context, queue, outbox, folder } = await startEngine({ yaml, env: { T: 't' } });
  await deliver('github', 'issue_comment.created', undefined, '@agent go');
  const routes = outboxRoutes(context.store, () => localOperations(context, queue, folder, outbox));
  const get = async (path: string) => (await (await routes.request(path)).json()) as Page<OutgoingView>;
  const first = await get('/outbox?limit=2');
  expect(first.items).toMatchObject([{ content: 'c', status: 'waiting' }, { content: 'b' }]);
  const { items } = await get(`/outbox?limit=2&cursor=${first.next_cursor}`);
  expect(items).toMatchObject([{ content: 'a', kind: 'label', provider: 'github' }]);

  const id = items[0]?.id;
  const post = async (path: string) => (await routes.request(path, { method: 'POST' })).json();
  expect(await post(`/outbox/${id}/drop`)).toMatchObject({ id, status: 'dropped' });
  expect(await post(`/outbox/${id}/retry`)).toMatchObject({ id, status: 'waiting' });
  expect((await get('/outbox?status=sent')).items).toEqual([]);
});
