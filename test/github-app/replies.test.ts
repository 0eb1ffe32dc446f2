import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeApp } from '../../src/github-app/record.ts';
import type { JsonObject } from '../../src/types.ts';
import { startEngine, type TestEngineOptions } from '../support/engine.ts';
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
  return { ...engine, ask };
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
