import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { writeApp } from '../../src/github-app/record.ts';
import type { JsonObject } from '../../src/types.ts';
import { startEngine, type TestEngineOptions } from '../support/engine.ts';
import { examples } from '../support/github.ts';
import { type LoopbackGithub, startGithub } from '../support/github-app.ts';

let github: LoopbackGithub;
beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  for (const list of [github.calls, github.issued, github.comments, github.faults]) list.length = 0;
  github.installed = ['acme/api'];
});

const YAML =
  'webhooks: { github: { defaultCommand: help, commands: [{ name: help, action: comment, template: Hello }] } }';

async function startWithApp(options: TestEngineOptions = {}) {
  const engine = await startEngine({ yaml: YAML, ...options });
  await writeApp(join(engine.folder, '.hookctl'), github.app());
  engine.context.apps.reload();
  const ask = async () => {
    const { delivery } = await engine.deliver('github', 'issue_comment.created', inAcme, '@agent help');
    return engine.sent(delivery.id);
  };
  /** A published example of GitHub's, changed, received and worked off. */
  const arrive = async (type: string, change: (payload: JsonObject) => JsonObject) => {
    const [event, action] = type.split('.');
    const example = examples().find((each) => each.event === event && each.payload.action === action);
    const { context, queue } = engine;
    const webhook = context.snapshot().byName.get('github');
    const value = webhook?.secrets[0]?.value;
    if (example === undefined || webhook === undefined || value === undefined) throw new Error(`no ${type}`);
    const body = Buffer.from(JSON.stringify(change(example.payload as unknown as JsonObject)));
    const signing = { type, secret: value, deliveryId: randomUUID(), now: new Date() };
    const request = { ...webhook.provider.sign(body, signing), query: '' };
    const { deliveryId: id, externalId, status } = await receive(context, webhook, request);
    if (status === 'pending') await queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
    await context.store.indexed();
    return context.store.delivery(id);
  };
  return { ...engine, ask, arrive };
}

function inAcme(payload: JsonObject): JsonObject {
  const repository = payload.repository as JsonObject;
  return { ...payload, repository: { ...repository, full_name: 'acme/api' } };
}

test('a reply: posted by the App, with a token for this repository alone', async () => {
  const { ask } = await startWithApp();
  expect(await ask()).toMatchObject([{ status: 'sent', remoteId: '1' }]);
  expect(github.issued).toMatchObject([
    { repositories: ['api'], permissions: { issues: 'write', pull_requests: 'write' } },
  ]);
  const post = github.calls.find(({ method, path }) => method === 'POST' && path.endsWith('/comments'));
  expect(post?.by).toBe(github.issued[0]?.token);
  await ask();
  expect(github.issued).toHaveLength(1);
});

test('a reply: a token that GitHub takes back is made anew, and the comment is posted once', async () => {
  let later = 0;
  const { ask } = await startWithApp({ now: () => Date.now() + later });
  await ask();
  // Older than what GitHub needs to know a token everywhere.
  later = 6_000;
  github.clockAhead = 6_000;
  github.issued.length = 0;
  expect(await ask()).toMatchObject([{ status: 'sent' }]);
  expect(github.issued).toHaveLength(1);
  expect(github.comments).toHaveLength(2);
});

test('a reply: where the App is not installed, the error says where to install it; a token of GITHUB_TOKEN does instead', async () => {
  github.installed = [];
  const bare = await startWithApp();
  expect(await bare.ask()).toMatchObject([
    { status: 'failed', reason: 'the App hookctl-test is not installed on acme/api' },
  ]);
  const both = await startWithApp({
    env: { GITHUB_TOKEN: 'ghp_of_a_person_0123456789' },
    yaml: `${YAML}\ncredentials: { github: { baseUrl: ${github.url} } }`,
  });
  // The loopback GitHub knows no such token.
  expect(await both.ask()).toMatchObject([{ status: 'failed', reason: expect.stringContaining('401') }]);
});

test('a reply: while GitHub makes no token it waits, and is posted when GitHub is back', async () => {
  const { ask } = await startWithApp();
  github.faults.push({ path: /access_tokens/, status: 502, times: 1 });
  expect(await ask()).toMatchObject([{ status: 'sent', attempts: 2, uncertain: false }]);
  expect(github.comments).toHaveLength(1);
});

test('own acts: what the App labels, comments and checks starts nothing; other apps and people do', async () => {
  const trigger = (type: string) => `{ trigger: ${type}, template: Look }`;
  const yaml = `webhooks: { github: { defaultCommand: help, commands: [{ name: help }, ${['issues.labeled', 'issue_comment.created', 'check_run.completed'].map(trigger).join(', ')}] } }`;
  const engine = await startWithApp({ yaml });
  const bot = { id: 777, login: 'hookctl-test[bot]', type: 'Bot' };
  const other = { id: 778, login: 'other[bot]', type: 'Bot' };
  const made = (
    type: string,
    sender: JsonObject,
    more: (payload: JsonObject) => JsonObject = (each) => each,
  ) => engine.arrive(type, (payload) => more({ ...inAcme(payload), sender }));
  const written = (user: JsonObject) => (payload: JsonObject) => ({
    ...payload,
    comment: { ...(payload.comment as JsonObject), user, body: 'a note without a mark' },
  });
  const checkBy = (id: number) => (payload: JsonObject) => ({
    ...payload,
    check_run: { ...(payload.check_run as JsonObject), app: { id, slug: 'x', name: 'x' } },
  });
  const own = 'hookctl’s own GitHub App did this';
  expect(await made('issues.labeled', bot)).toMatchObject({ status: 'ignored', reason: own });
  expect(await made('issue_comment.created', bot, written(bot))).toMatchObject({
    status: 'ignored',
    reason: own,
  });
  expect(await made('check_run.completed', bot, checkBy(4242))).toMatchObject({
    status: 'ignored',
    reason: own,
  });
  expect(await made('issues.labeled', other)).toMatchObject({ status: 'processed' });
  expect(await made('check_run.completed', other, checkBy(1))).toMatchObject({ status: 'processed' });
});
