import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hiddenMarker, plainMarker } from '../../src/providers/kit/marker.ts';
import { providerNamed } from '../support/providers.ts';
import { account, comment, record, startBench } from './support.ts';

const ID = 'out-01hzy2m8k4c6v0qe';
const MARKED = { html: hiddenMarker(ID), plain: plainMarker(ID) };

/** A thread in which a stranger copied our mark before us: pages as the APIs answer them, by the author's id. */
const PAGES: Readonly<Record<string, { readonly self: object; readonly page: (author: string) => unknown }>> =
  {
    github: { self: { id: 7 }, page: (by) => [{ id: 1, user: { id: Number(by) }, body: MARKED.html }] },
    gitlab: { self: { id: 7 }, page: (by) => [{ id: 1, author: { id: Number(by) }, body: MARKED.html }] },
    gitea: { self: { id: 7 }, page: (by) => [{ id: 1, user: { id: Number(by) }, body: MARKED.html }] },
    bitbucket: {
      self: { uuid: '7' },
      page: (by) => ({ values: [{ id: 1, user: { uuid: by }, content: { raw: MARKED.plain } }] }),
    },
    jira: {
      self: { accountId: '7' },
      page: (by) => ({ comments: [{ id: '1', author: { accountId: by }, body: MARKED.plain }] }),
    },
    slack: {
      self: { ok: true, user_id: '7' },
      page: (by) => ({
        ok: true,
        messages: [{ ts: '1', user: by, metadata: { event_payload: { mark: MARKED.plain } } }],
      }),
    },
    linear: {
      self: {},
      page: (by) => ({
        data: {
          viewer: { id: '7' },
          issue: { comments: { nodes: [{ id: '1', body: MARKED.plain, user: { id: by } }] } },
        },
      }),
    },
  };

test.each(Object.entries(PAGES))(
  'F6: %s: a post of somebody else with our mark is not ours',
  (name, { self, page }) => {
    const reply = providerNamed(name)?.reply;
    const to = account(name, 'https://api.example.com');
    const answer = (value: unknown) => ({ status: 200, headers: {}, text: JSON.stringify(value) });
    const author = reply?.whoami?.read(answer(self)) ?? null;
    const found = (by: string, as = author) => reply?.readPage?.(to, answer(page(by)), ID, as).id;
    expect(found('7')).toBe('1');
    expect(found('8')).toBeNull();
    // An app's token may not ask who it is: the mark alone has to do.
    if (name !== 'linear') expect(found('8', null)).toBe('1');
  },
);

/** An API that loses its first answer to a post, and holds a post of account 8 with our mark. */
const state = { whoami: [] as number[], posts: 0, asked: 0, mark: '' };
const api = createServer((request, response) => {
  const answer = (status: number, json: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  };
  if (request.method === 'POST') {
    state.posts += 1;
    if (state.posts === 1) return void request.socket.resetAndDestroy();
    return answer(201, { id: 99 });
  }
  if (/(?:comments|notes)\b/.test(request.url ?? '')) {
    return answer(200, [{ id: 5, user: { id: 8 }, author: { id: 8 }, body: state.mark }]);
  }
  state.asked += 1;
  const status = state.whoami.length > 1 ? state.whoami.shift() : state.whoami[0];
  return answer(status ?? 200, status === 200 ? { id: 7 } : { message: 'no' });
});
beforeAll(async () => {
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});
afterAll(() => {
  api.closeAllConnections();
  api.close();
});

test.each([
  ['github', 'is told: the post is sent again', [200], { posts: 2, remoteId: '99' }],
  ['gitlab', 'is told: the post is sent again', [200], { posts: 2, remoteId: '99' }],
  ['gitea', 'is told: the post is sent again', [200], { posts: 2, remoteId: '99' }],
  ['github', 'is not for this token: the mark decides', [403], { posts: 1, remoteId: '5' }],
  ['gitlab', 'is not told for now: it is asked again', [503, 200], { posts: 2, remoteId: '99' }],
] as const)('F6: %s: who the account is %s', async (provider, _, whoami, { posts, remoteId }) => {
  const item = comment(provider);
  Object.assign(state, { whoami: [...whoami], posts: 0, asked: 0, mark: hiddenMarker(item.id) });
  const base = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const { store, end } = await startBench({ accountOf: () => account(provider, base) });
  await record(store, provider, item);
  expect(await end(item)).toMatchObject({ status: 'sent', remoteId });
  expect(state).toMatchObject({ posts, asked: whoami.length });
});
