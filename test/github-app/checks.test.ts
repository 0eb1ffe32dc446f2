import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeApp } from '../../src/github-app/record.ts';
import { contentOf } from '../../src/server/checks/content.ts';
import { TASK } from '../agents/support.ts';
import { eventually } from '../support/eventually.ts';
import { comment, type Payload, signedPost } from '../support/github.ts';
import { HEAD, type LoopbackGithub, startGithub } from '../support/github-app.ts';
import { tell } from '../support/in-process.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type ServeHere, serveHere } from '../support/serve-here.ts';
import { readStore, settled } from '../support/server.ts';

let github: LoopbackGithub;
let sandbox: Sandbox;
let served: ServeHere;

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(async () => {
  for (const list of [github.calls, github.issued, github.checks, github.comments, github.faults])
    list.length = 0;
  github.installed = ['acme/api'];
  github.people = { writer: { id: 501, permission: 'write' }, reader: { id: 502, permission: 'read' } };
  sandbox = await createSandbox({
    files: {
      'webhooks.yml':
        'webhooks: { github: { defaultCommand: fix, commands: [{ name: fix, requiresApproval: true }] } }',
    },
  });
  await writeApp(sandbox.dataFolder, github.app());
  served = await serveHere(sandbox);
});

const ACME = {
  id: 77,
  full_name: 'acme/api',
  html_url: 'https://github.com/acme/api',
  owner: { id: 700, login: 'acme' },
};

/** A member asks for something on a pull request. */
async function askOnPullRequest(text = '@agent fix it'): Promise<string> {
  const payload = comment(text);
  Object.assign(payload.repository as Payload, ACME);
  Object.assign(payload.issue as Payload, {
    pull_request: { url: 'https://api.github.com/repos/acme/api/pulls/1' },
  });
  const { id } = await signedPost(served.url, payload);
  await settled(sandbox, id);
  return readStore(sandbox, (store) => store.tasks({ limit: 1 })[0]?.id ?? '');
}

async function press(
  action: string,
  taskId: string,
  who: keyof LoopbackGithub['people'],
  changes: object = {},
) {
  const payload = {
    action: 'requested_action',
    requested_action: { identifier: identifierOf(action) },
    check_run: {
      id: 9_000,
      external_id: taskId,
      head_sha: HEAD,
      name: 'hookctl / fix',
      app: { id: 4242 },
      pull_requests: [],
      ...changes,
    },
    repository: ACME,
    sender: { id: github.people[who]?.id ?? 0, login: who, type: 'User' },
  };
  const { id } = await signedPost(served.url, payload as unknown as Payload, { event: 'check_run' });
  return settled(sandbox, id);
}

const check = (state: object, index = 0) =>
  eventually(`a check ${JSON.stringify(state)}`, () => {
    const found = github.checks[index];
    return found !== undefined && Object.entries(state).every(([key, value]) => found[key] === value)
      ? found
      : null;
  });
const identifiers = (found: Record<string, unknown> | undefined) =>
  ((found?.actions ?? []) as { identifier: string }[]).map(({ identifier }) => identifier);
const buttons = (found: Record<string, unknown>) =>
  identifiers(found).map((identifier) => identifier.split('.')[0]);
/** What comes back with a click: the button's name and the digest of what it decides about. */
const identifierOf = (action: string) =>
  github.checks.flatMap(identifiers).findLast((each) => each.startsWith(`${action}.`)) ?? action;
const statusOf = (id: string) => readStore(sandbox, (store) => store.task(id)?.status);

test('a task on a pull request: a check on its head, from its approval by a button to its result', async () => {
  const id = await askOnPullRequest();
  const queued = await check({ status: 'queued', external_id: id });
  expect(queued).toMatchObject({
    head_sha: HEAD,
    name: 'hookctl / fix',
    output: { title: 'Waits for approval' },
  });
  expect(buttons(queued)).toEqual(['approve', 'reject']);

  expect((await press('approve', id, 'reader')).reason).toContain('may not command');
  expect((await press('approve', id, 'writer', { app: { id: 1 } })).status).toBe('ignored');
  expect((await press('approve', id, 'writer', { id: 12_345 })).reason).toContain('not on the check');
  expect((await press('approve.AAAAAAAAAAAA', id, 'writer')).reason).toContain('no longer what');
  expect(statusOf(id)).toBe('waiting_approval');
  expect((await press('approve', id, 'writer')).status).toBe('processed');
  expect(statusOf(id)).toBe('queued');
  await eventually('the other title', () =>
    JSON.stringify(github.checks[0]).includes('Queued for') ? true : null,
  );
  expect(JSON.stringify(github.checks[0]?.output)).toContain('Approved by github:writer');

  await tell(sandbox, 'task', 'start', id);
  expect(buttons(await check({ status: 'in_progress' }))).toEqual(['cancel']);
  await tell(sandbox, 'task', 'complete', id, '--result', 'Fixed by @octocat <!-- hidden -->');
  const done = await check({ status: 'completed', conclusion: 'success' });
  expect(JSON.stringify(done.output)).not.toContain('@octocat');
  expect(github.checks).toHaveLength(1);
  expect(github.issued.every(({ repositories }) => repositories.join() === 'api')).toBe(true);
});

test('a task that failed or was cancelled: its button queues it again, with a check of its own', async () => {
  const id = await askOnPullRequest();
  await check({ status: 'queued' });
  await press('reject', id, 'writer');
  const ended = await check({ status: 'completed', conclusion: 'neutral' });
  expect(buttons(ended)).toEqual(['again']);
  await press('again', id, 'writer');
  expect(statusOf(id)).toBe('queued');
  expect(await check({ status: 'queued', external_id: id }, 1)).toMatchObject({ head_sha: HEAD });
  expect(github.checks[0]).toMatchObject({ status: 'completed' });
});

test('a check: made once although the answer was lost, and up to date after a restart', async () => {
  github.faults.push({ path: /\/pulls\//, status: 502, times: 2 });
  const id = await askOnPullRequest();
  await check({ status: 'queued', external_id: id });
  await served.stop();
  await tell(sandbox, 'task', 'cancel', id);
  expect(github.checks[0]).toMatchObject({ status: 'queued' });
  served = await serveHere(sandbox);
  await check({ status: 'completed', conclusion: 'neutral' });
  expect(github.checks).toHaveLength(1);
});

test('a task about no commit has no check, and one where the App may not write checks says so', async () => {
  const payload = comment('@agent fix it');
  Object.assign(payload.repository as Payload, ACME);
  await signedPost(served.url, payload);
  github.permissions = { issues: 'write', pull_requests: 'write', metadata: 'read' };
  await askOnPullRequest();
  await eventually('a problem', () =>
    served.stdout().includes('no check can be shown on acme/api') ? true : null,
  );
  expect(github.checks).toEqual([]);
});

test.each([
  ['rate_limited', 'neutral', 'Not finished'],
  ['stopped', 'neutral', 'Not finished'],
  ['refused', 'failure', 'Failed'],
  [null, 'failure', 'Failed'],
] as const)(
  'a task whose last run failed as %s is %s: a quota or a time-out judges no commit',
  (cause, conclusion, title) => {
    const task = { ...TASK, status: 'failed', error: 'It failed.' } as const;
    expect(contentOf(task, { transitions: [], cause }, (text) => text)).toMatchObject({
      status: 'completed',
      conclusion,
      output: { title },
    });
  },
);
