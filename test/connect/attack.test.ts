import { expect, test } from 'vitest';
import { connect, disconnect } from '../../src/connect/operations.ts';
import { checkAll } from '../../src/connect/upkeep.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type KeptHook, startLoopback } from '../support/hook-apis/loopback.ts';
import { connectContext, order } from './support.ts';

const hook = (id: string, changes: Partial<KeptHook> = {}): KeptHook => ({
  ...{ id, place: '/repos/acme/api', url: `https://ci.example/${id}`, events: ['push'] },
  ...{ secret: 'theirs', isActive: true, ...changes },
});

test('1,000 hooks in pages: the own one is found on the last page, and none of the others changes', async () => {
  const api = await startLoopback(githubApi);
  const context = await connectContext('github', api.url());
  for (let at = 0; at < 1_000; at += 1) api.hooks.push(hook(api.nextId()));
  const url = `https://first.example/webhooks/github?hookctl=${context.store.installationId()}`;
  const own = hook(api.nextId(), { url });
  api.hooks.push(own);
  const others = structuredClone(api.hooks.slice(0, 1_000));
  const { outcome, connection } = await connect(context, order('github', 'acme/api'));
  expect([outcome, connection?.remoteId]).toEqual(['found', own.id]);
  expect(api.hooks).toHaveLength(1_001);
  expect(api.hooks.slice(0, 1_000)).toEqual(others);
});

test('a page of a proxy in place of the list, or of the answer: no second hook is made', async () => {
  const api = await startLoopback(githubApi);
  const context = await connectContext('github', api.url(), { patienceMs: 2_000 });
  const page = { status: 200, body: '<!doctype html><title>Sign in</title>' };
  api.failNext(page);
  await expect(connect(context, order('github', 'acme/api'))).rejects.toMatchObject({
    code: 'api_refused',
    message: expect.stringContaining('no JSON'),
    fix: expect.stringContaining('proxy'),
  });
  expect([api.hooks, context.store.connections()]).toEqual([[], []]);
  api.failNext({ ...page, isDone: true }, ({ method }) => method === 'POST');
  await connect(context, order('github', 'acme/api'));
  expect(api.hooks).toHaveLength(1);
});

test('two installations on one repository: neither touches the hook of the other', async () => {
  const api = await startLoopback(githubApi);
  const one = await connectContext('github', api.url());
  const two = await connectContext('github', api.url());
  two.moveTo('https://other.example');
  await connect(one, order('github', 'acme/api'));
  await connect(two, order('github', 'acme/api'));
  expect(api.hooks).toHaveLength(2);
  const [first] = structuredClone(api.hooks);
  await checkAll(two, { fix: true });
  const [record] = two.store.connections();
  if (record === undefined) throw new Error('nothing was connected');
  await disconnect(two, record);
  expect(api.hooks).toEqual([first]);
  expect((await checkAll(one, { fix: false })).connections).toMatchObject([{ state: 'ok' }]);
});

test('a token that ended: what is there stays on record, and check says what is wrong', async () => {
  const api = await startLoopback(githubApi);
  const context = await connectContext('github', api.url());
  await connect(context, order('github', 'acme/api'));
  api.failNext({ status: 401, body: '{"message":"Bad credentials"}' });
  const { connections } = await checkAll(context, { fix: true });
  expect(connections).toMatchObject([{ state: 'failed', text: expect.stringContaining('401') }]);
  const [record] = context.store.connections();
  if (record === undefined) throw new Error('nothing was connected');
  api.failNext({ status: 401 });
  await expect(disconnect(context, record)).rejects.toMatchObject({ code: 'api_refused' });
  expect(context.store.connections()).toHaveLength(1);
});

test('a misspelt sender: the right one is named', async () => {
  const context = await connectContext('github', 'http://127.0.0.1:1');
  await expect(connect(context, order('gitub', 'acme/api'))).rejects.toMatchObject({
    exitCode: 2,
    fix: 'Did you mean github?',
  });
});

test('a list whose pages never end: the same page again is its end', async () => {
  let pages = 0;
  const api = await startLoopback({
    ...githubApi,
    route(call, state) {
      const { query: _, ...rest } = call;
      const answer = githubApi.route({ ...rest, query: new URLSearchParams() }, state);
      if (call.method !== 'GET' || answer === null) return answer;
      pages += 1;
      const link = `<${state.url()}${call.path}?page=${pages + 1}>; rel="next"`;
      return { status: 200, json: answer.json ?? [], headers: pages > 50 ? {} : { link } };
    },
  });
  const context = await connectContext('github', api.url());
  api.hooks.push(hook(api.nextId()));
  // Every page is the first one.
  const { outcome } = await connect(context, order('github', 'acme/api'));
  expect(outcome).toBe('made');
  expect(pages).toBeLessThan(4);
});
