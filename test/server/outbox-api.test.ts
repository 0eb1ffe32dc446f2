import { expect, test } from 'vitest';
import { OPERATOR_CALLER } from '../../src/server/access/caller.ts';
import type { Page } from '../../src/server/api/route.ts';
import type { OutgoingView } from '../../src/views.ts';
import { apiOver } from '../support/api.ts';
import { startEngine } from '../support/engine.ts';

const OPERATOR = { caller: OPERATOR_CALLER };

test('GET /outbox pages, POST retry and drop change what is there', async () => {
  const yaml =
    'webhooks: { github: { defaultCommand: go, commands: [{ name: go, action: label, options: { labels: [a, b, c] } }] } }\n' +
    'credentials: { github: { tokenEnv: T, baseUrl: "http://127.0.0.1:1" } }\n';
  const engine = await startEngine({ yaml, env: { T: 't' } });
  await engine.deliver('github', 'issue_comment.created', undefined, '@agent go');
  const api = apiOver(engine);
  const get = async (path: string) =>
    (await (await api.request(`/api${path}`, {}, OPERATOR)).json()) as Page<OutgoingView>;
  const first = await get('/outbox?limit=2');
  expect(first.items).toMatchObject([{ content: 'c', status: 'waiting' }, { content: 'b' }]);
  const { items } = await get(`/outbox?limit=2&cursor=${first.next_cursor}`);
  expect(items).toMatchObject([{ content: 'a', kind: 'label', provider: 'github' }]);

  const id = items[0]?.id;
  const post = async (path: string) =>
    (await api.request(`/api${path}`, { method: 'POST' }, OPERATOR)).json();
  expect(await post(`/outbox/${id}/drop`)).toMatchObject({ id, status: 'dropped' });
  expect(await post(`/outbox/${id}/retry`)).toMatchObject({ id, status: 'waiting' });
  expect((await get('/outbox?status=sent')).items).toEqual([]);
});
