import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explain } from '../../src/deliveries/explain.ts';
import { findSubject } from '../../src/tasks/flows.ts';
import type { JsonObject } from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue } from '../support/engine.ts';
import { git, repository } from './repository.ts';
import { type AgentEngine, startAgents } from './support.ts';

const apis = apisForFile();

/** Projects with the checkouts `web` and `api` beside `code`; the agent works in `code` by itself. */
async function start(lines: string, workspace = 'shared', remote = false): Promise<AgentEngine> {
  return startAgents({
    yaml: `
repositories: ${lines}
credentials: { github: { baseUrl: '${apis().url}' } }
agents:
  planning: { use: command, program: ./sh-agent, args: ['--title={{title}}'], cwd: code, workspace: ${workspace} }
`,
    env: { GITHUB_TOKEN: 'ghp_0123456789abcdefghij0123456789abcdefgh' },
    prepare(folder) {
      repository(folder);
      for (const name of ['web', 'api']) {
        git(folder, 'clone', '-q', 'code', name);
        git(join(folder, name), 'remote', 'remove', 'origin');
        for (const [key, value] of [
          ['user.name', 'T'],
          ['user.email', 't@example.com'],
        ] as const)
          git(join(folder, name), 'config', key, value);
      }
      if (remote) remoteOf(folder);
    },
  });
}

/** `octo-org/octo-repo` as a remote of `web`, with a pull request 57 of the branch `topic`, and 58 of a fork. */
function remoteOf(folder: string): void {
  mkdirSync(join(folder, 'octo-org'));
  git(folder, 'init', '-q', '--bare', '-b', 'main', 'octo-org/octo-repo.git');
  const web = join(folder, 'web');
  git(web, 'remote', 'add', 'origin', join(folder, 'octo-org/octo-repo.git'));
  git(web, 'push', '-q', 'origin', 'main');
  for (const [number, ref] of [
    [57, 'refs/heads/topic'],
    [58, ''],
  ] as const) {
    git(web, 'checkout', '-q', '--detach', 'main');
    writeFileSync(join(web, `of-${number}`), 'x');
    git(web, 'add', '.');
    git(web, 'commit', '-qm', `Of ${number}`);
    git(web, 'push', '-q', 'origin', `HEAD:refs/pull/${number}/head`);
    if (ref !== '') git(web, 'push', '-q', 'origin', `HEAD:${ref}`);
  }
  git(web, 'checkout', '-q', 'main');
}

const PLACE = 'sh: pwd > place; echo "$HOOKCTL_CHECKOUTS" > checkouts';

async function ran(engine: AgentEngine, externalId: string, prompt = PLACE) {
  const run = await engine.ended((await engine.task(`A\n${prompt}`, { externalId, agent: 'planning' })).id);
  expect(run.state).toBe('completed');
  return run;
}

test('a task runs in the checkout of its repository, and others in the folder of the agent', async () => {
  const engine = await start('{ acme/web: web, PROJ: api }');
  const at = (name: string) => join(engine.folder, name);
  expect((await ran(engine, 'github:acme/web#1')).folder).toBe(at('web'));
  expect((await ran(engine, 'jira:PROJ-1')).folder).toBe(at('api'));
  expect((await ran(engine, 'slack:T1/C1/1.0')).folder).toBe(at('code'));
  expect(readFileSync(join(at('web'), 'place'), 'utf8')).toBe(`${at('web')}\n`);
  expect(JSON.parse(readFileSync(join(at('web'), 'checkouts'), 'utf8'))).toEqual({ 'acme/web': at('web') });
});

test('the folder of an agent that is a part of the checkout stays', async () => {
  const engine = await start('{ acme/mono: . }');
  expect((await ran(engine, 'github:acme/mono#1')).folder).toBe(join(engine.folder, 'code'));
});

test('a task without a checkout waits, says which line is missing, and tells its thread once', async () => {
  const engine = await start('{ acme/web: web }');
  const { store } = engine.context;
  const { tasks } = await engine.deliver('github', 'issue_comment.created');
  const id = tasks[0]?.id ?? '';
  const reason =
    'no line of `repositories` in webhooks.yml names octo-org/octo-repo: write `octo-org/octo-repo: /path/to/its/checkout` there, then restart hookctl serve';
  await expect.poll(() => store.runsOfTask(id)[0]?.reason).toBe(reason);
  // Another task of another thread is not kept from running.
  await ran(engine, 'github:acme/web#1');
  engine.scheduler.wake();
  await ran(engine, 'github:acme/web#2');
  expect(engine.held).toEqual([`${id}: ${reason}`]);
  const told = () => apis().posts.filter(({ text }) => text.includes('has no checkout'));
  await expect.poll(() => told().length).toBe(1);
  expect(told()[0]?.text).toContain('`octo-org/octo-repo`');
  expect(told()[0]?.text).not.toContain(engine.folder);
});

test('an issue that names another repository has both, in worktrees of one conversation', async () => {
  const engine = await start('{ octo-org/octo-repo: web, acme/api: api }', 'worktree');
  const owned = (payload: JsonObject): JsonObject => {
    const issue = payload.issue as JsonObject;
    return {
      ...payload,
      issue: { ...issue, number: 7, body: 'Also `acme/api` needs it.', user: payload.sender as JsonObject },
    };
  };
  const { tasks } = await engine.deliver('github', 'issue_comment.created', owned);
  const run = await engine.ended(tasks[0]?.id ?? '');
  const [web, api] = engine.workspaces.list();
  expect(engine.workspaces.list()).toHaveLength(2);
  expect(run.folder).toBe(web?.path);
  expect(web?.repository).toBe(join(engine.folder, 'web'));
  expect(api?.repository).toBe(join(engine.folder, 'api'));
  expect(api?.branch).toBe(web?.branch);
  expect(engine.context.store.runOnBranch(web?.branch ?? '')?.id).toBe(run.id);
});

test.each([
  ['of somebody who may not command', { id: 99, login: 'mallory', type: 'User' }, 'acme/api'],
  ['in a quote', null, '> acme/api'],
])('a repository that is named %s does not count', async (_, by, body) => {
  const engine = await start('{ octo-org/octo-repo: web, acme/api: api }', 'worktree');
  const change = (payload: JsonObject): JsonObject => {
    const issue = payload.issue as JsonObject;
    const user = by ?? (payload.sender as JsonObject);
    return { ...payload, issue: { ...issue, number: 7, body, user, author_association: 'NONE' } };
  };
  const { tasks } = await engine.deliver('github', 'issue_comment.created', change);
  await engine.ended(tasks[0]?.id ?? '');
  expect(engine.workspaces.list().map((each) => each.repository)).toEqual([join(engine.folder, 'web')]);
});

test('a comment on a pull request in another repository goes on where its conversation began', async () => {
  const engine = await start('{ PROJ: web, acme/api: api }', 'worktree');
  const first = await ran(engine, 'jira:PROJ-1');
  const { store, ids, clock } = engine.context;
  const [ticket, pull] = ['jira:PROJ-1', 'github:acme/api#57'].map((externalId) => ({
    flowId: findSubject(store, 'operator', { externalId }).ownId,
    externalId,
    newConversationId: ids.next('conv'),
  }));
  if (ticket === undefined || pull === undefined) throw new Error('no subjects');
  await store.joinFlows(
    { flows: [pull, ticket], reason: 'test', actor: 'test', isAsked: true, owner: 'operator' },
    clock.now(),
  );
  const second = await ran(engine, 'github:acme/api#57');
  expect(second.conversationId).toBe(first.conversationId);
  const worktrees = engine.workspaces.list();
  expect(worktrees.map(({ repository: of }) => of)).toEqual([
    join(engine.folder, 'web'),
    join(engine.folder, 'api'),
  ]);
});

test('a pull request from the branch of a workspace is joined with the flow of its run; that of a fork is not', async () => {
  const engine = await start('{ octo-org/octo-repo: web, acme/api: api }', 'worktree');
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(7));
  await engine.ended(tasks[0]?.id ?? '');
  const [{ branch: ref } = { branch: '' }] = engine.workspaces.list();
  const opened =
    (number: number, head: number, name = 'octo-org/octo-repo') =>
    (payload: JsonObject) => ({
      ...payload,
      repository: { ...(payload.repository as JsonObject), full_name: name, name: name.split('/')[1] ?? '' },
      ...{ number, sender: { id: 5, login: 'robot', type: 'User' } },
      pull_request: {
        ...(payload.pull_request as JsonObject),
        ...{ number, title: 'Work', body: '', author_association: 'NONE' },
        head: { ref, sha: 'a'.repeat(40), repo: { id: head } },
        base: { ref: 'main', repo: { id: 1_296_269 } },
      },
    });
  await engine.deliver('github', 'pull_request.opened', opened(58, 5));
  await engine.deliver('github', 'pull_request.opened', opened(59, 1_296_269, 'acme/api'));
  await engine.deliver('github', 'pull_request.opened', opened(57, 1_296_269));
  const { store } = engine.context;
  const flowOf = (externalId: string) => findSubject(store, 'operator', { externalId });
  expect(flowOf('github:octo-org/octo-repo#57').flowId).toBe(tasks[0]?.flowId);
  expect(flowOf('github:octo-org/octo-repo#58').flow).toBeNull();
  // Somebody took the name of the branch for another repository.
  expect(flowOf('github:acme/api#59').flow).toBeNull();
  const [link] = store.linksInto(tasks[0]?.flowId ?? '');
  expect(link?.reason).toBe(`opened for ${tasks[0]?.id}`);
});

test('a pull request that a person opened is worked on in its branch; that of a fork is not', async () => {
  const engine = await start('{ octo-org/octo-repo: web }', 'worktree', true);
  await ran(engine, 'github:octo-org/octo-repo#57', 'sh: git log -1 --format=%s > ../log');
  await ran(engine, 'github:octo-org/octo-repo#58', 'sh: true');
  const [own, fork] = engine.workspaces.list();
  expect(own?.branch).toBe('topic');
  expect(readFileSync(join(own?.path ?? '', '../log'), 'utf8')).toBe('Of 57\n');
  expect(fork?.branch).toMatch(/^hookctl-58-/);
  expect(git(fork?.path ?? '', 'log', '-1', '--format=%s')).toBe('One');
});

test('a branch of the pull request that is here already stays as it is, and the agent is told where to push', async () => {
  const engine = await start('{ octo-org/octo-repo: web }', 'worktree', true);
  git(join(engine.folder, 'web'), 'branch', 'topic', 'main');
  await ran(engine, 'github:octo-org/octo-repo#57', 'sh: cat > /dev/null; true');
  const [own] = engine.workspaces.list();
  expect(own?.branch).toMatch(/^hookctl-57-/);
  expect(git(own?.path ?? '', 'log', '-1', '--format=%s')).toBe('Of 57');
  expect(git(join(engine.folder, 'web'), 'log', '-1', '--format=%s', 'topic')).toBe('One');
});

test('explain says where the tasks of an event would run, or which line is missing', async () => {
  const engine = await start('{ octo-org/octo-repo: web }');
  const { delivery } = await engine.deliver('github', 'issue_comment.created');
  const { store, repositories } = engine.context;
  const webhook = engine.configuration.snapshot.byName.get('github');
  if (webhook === undefined) throw new Error('no webhook');
  const request = { headers: delivery.headers, query: '', body: store.body(delivery.id) ?? Buffer.alloc(0) };
  const [event] = (await explain(webhook, request, 'operator', { repositories })).events;
  expect(event?.route).toMatchObject({
    kind: 'checkouts',
    checkouts: [{ folder: join(engine.folder, 'web') }],
  });
});
