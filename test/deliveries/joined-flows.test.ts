import { expect, test } from 'vitest';
import { linkTask } from '../../src/deliveries/links/link-task.ts';
import { flowDetails, flowNamed } from '../../src/task-views.ts';
import type { JsonObject } from '../../src/types.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';

const STRANGER = { id: 99, login: 'mallory', type: 'User' };

interface Pull {
  readonly number: number;
  readonly body?: string;
  readonly title?: string;
  readonly branch?: string;
  /** Id of the repository of its branch. */
  readonly head?: number;
  readonly by?: JsonObject;
  readonly association?: string;
}

/** A pull request of octo-org/octo-repo. */
function pull({ number, by, association = 'OWNER', ...words }: Pull): (payload: JsonObject) => JsonObject {
  return (payload) => {
    const own = payload.pull_request as JsonObject;
    return {
      ...payload,
      number,
      ...(by !== undefined && { sender: by }),
      pull_request: {
        ...own,
        number,
        title: words.title ?? 'Repair the login',
        body: words.body ?? '',
        author_association: association,
        ...(by !== undefined && { user: by }),
        head: { ref: words.branch ?? 'topic', sha: 'a'.repeat(40), repo: { id: words.head ?? 1296269 } },
        base: { ref: 'main', repo: { id: 1296269 } },
      },
    };
  };
}

/** A comment by an owner; its task. */
async function asked({ deliver }: TestEngine, number: number, text = '@agent analyze') {
  const { tasks, delivery } = await deliver('github', 'issue_comment.created', onIssue(number), text);
  return { task: tasks[0], delivery };
}

const PR = 'github:octo-org/octo-repo#57';

test('joined flows: a pull request that closes an issue goes on in its flow and conversation', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const issue = await asked(engine, 42);
  await engine.deliver('github', 'pull_request.opened', pull({ number: 57, body: 'Closes #42' }));
  const review = await asked(engine, 57);

  expect(review.task?.flowId).toBe(issue.task?.flowId);
  expect(review.task?.conversationId).toBe(issue.task?.conversationId);
  expect(review.task?.externalId).toBe(PR);
  const flow = flowNamed(store, PR);
  expect(flow?.id).toBe(issue.task?.flowId);
  if (flow === null) throw new Error('no flow');
  const { links, tasks } = flowDetails(store, flow);
  expect(links).toMatchObject([{ external_id: PR, reason: 'Closes #42', actor: 'github:octocat' }]);
  expect(tasks.map(({ id }) => id)).toEqual([issue.task?.id, review.task?.id]);
  expect(store.flows().map(({ id }) => id)).toEqual([flow.id]);
});

test('joined flows: a command in the description of the pull request runs in the joined flow', async () => {
  const engine = await startEngine();
  const issue = await asked(engine, 42);
  const words = pull({ number: 57, body: '@agent analyze\n\nFixes #42' });
  const { tasks } = await engine.deliver('github', 'pull_request.opened', words);
  expect(tasks[0]?.flowId).toBe(issue.task?.flowId);
});

test('joined flows: the older flow goes on, and tasks made before keep theirs', async () => {
  const engine = await startEngine();
  const early = await asked(engine, 57);
  const issue = await asked(engine, 42);
  const { delivery } = await asked(engine, 42, '@agent link https://github.com/octo-org/octo-repo/pull/57');
  expect(delivery).toMatchObject({ status: 'processed' });
  const later = await asked(engine, 42);
  expect(later.task?.flowId).toBe(early.task?.flowId);
  expect(engine.context.store.task(issue.task?.id ?? '')?.flowId).toBe(issue.task?.flowId);
});

test.each<readonly [string, Pull]>([
  ['of a fork', { number: 57, body: 'Closes #42', head: 5 }],
  ['of a stranger', { number: 57, body: 'Closes #42', by: STRANGER, association: 'NONE' }],
  ['that closes nothing', { number: 57, body: 'It does not close #42' }],
  ['that names an unknown project', { number: 57, title: 'UTF-8 is read' }],
  ['that closes an issue of an unknown repository', { number: 57, body: 'Closes octo-org/other#42' }],
])('joined flows: a pull request %s joins nothing', async (_, words) => {
  const engine = await startEngine();
  await asked(engine, 42);
  await engine.deliver('github', 'pull_request.opened', pull(words));
  expect(flowNamed(engine.context.store, PR)).toBeNull();
});

test('joined flows: the branch of a flow joins, also where a bot without rights opened the pull request', async () => {
  const engine = await startEngine();
  const issue = await asked(engine, 42);
  const by = { id: 7, login: 'agent[bot]', type: 'Bot' };
  const branch = `hookctl/${issue.task?.flowId}-repair-the-login`;
  await engine.deliver(
    'github',
    'pull_request.opened',
    pull({ number: 57, branch, by, association: 'NONE' }),
  );
  expect((await asked(engine, 57)).task?.flowId).toBe(issue.task?.flowId);
});

test('joined flows: a ticket joins where it is known, and a routed repository is known', async () => {
  const engine = await startEngine({ yaml: 'repositories: { PROJ: ., octo-org/other: . }' });
  const words = { number: 57, branch: 'PROJ-7-login', body: 'Closes octo-org/other#3' };
  await engine.deliver('github', 'pull_request.opened', pull(words));
  const { store } = engine.context;
  const root = flowNamed(store, PR);
  expect(root?.id).toBe(flowNamed(store, 'jira:PROJ-7')?.id);
  expect(root?.id).toBe(flowNamed(store, 'github:octo-org/other#3')?.id);
});

test('joined flows: what a person takes back only a person joins again', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const issue = await asked(engine, 42);
  const opened = pull({ number: 57, body: 'Closes #42' });
  await engine.deliver('github', 'pull_request.opened', opened);
  const own = store.flows({ externalId: PR })[0];
  expect(await store.unlinkFlow(own?.id ?? '')).toBe(true);
  await engine.deliver('github', 'pull_request.opened', opened);
  expect((await asked(engine, 57)).task?.flowId).toBe(own?.id);

  const to = { actor: 'cli', where: 'here' };
  const linked = await linkTask(
    engine.context,
    issue.task?.id ?? '',
    'https://github.com/octo-org/octo-repo/pull/57',
    to,
  );
  expect(linked).toEqual({ flowId: issue.task?.flowId, externalId: PR, joined: true });
  expect((await asked(engine, 57)).task?.flowId).toBe(issue.task?.flowId);
});

test('joined flows: a task from before the join is approved and stopped in each thread', async () => {
  const yaml =
    'webhooks: { github: { commands: [{ name: fix, requiresApproval: true }], defaultCommand: fix } }';
  const engine = await startEngine({ yaml });
  const { store } = engine.context;
  const early = await asked(engine, 57, '@agent fix');
  const other = await asked(engine, 57, '@agent fix it too');
  await asked(engine, 42, '@agent link #57');
  await asked(engine, 42, '@agent fix');
  const status = (id = '') => store.task(id)?.status;
  await asked(engine, 42, `@agent approve ${early.task?.id}`);
  expect(status(early.task?.id)).toBe('queued');
  await asked(engine, 57, '@agent stop');
  expect([status(early.task?.id), status(other.task?.id)]).toEqual(['cancelled', 'waiting_approval']);
});

test('joined flows: after an unlink a task is still approved where it was asked for, and not in the other thread', async () => {
  const yaml =
    'webhooks: { github: { commands: [{ name: fix, requiresApproval: true }], defaultCommand: fix } }';
  const engine = await startEngine({ yaml });
  const { store } = engine.context;
  await asked(engine, 42, '@agent fix');
  await asked(engine, 57, '@agent link #42');
  const { task } = await asked(engine, 57, '@agent fix');
  expect(await store.unlinkFlow(store.flows({ externalId: PR })[0]?.id ?? '')).toBe(true);
  const third = await asked(engine, 58, `@agent approve ${task?.id}`);
  expect(third.delivery.decisions[0]?.reason).toBe(`this thread has no task ${task?.id}`);
  await asked(engine, 57, `@agent approve ${task?.id}`);
  expect(store.task(task?.id ?? '')?.status).toBe('queued');
});

test('joined flows: links in a circle make one flow, and a thread is not linked with itself', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const first = await asked(engine, 42);
  for (const [from, to] of [
    [42, 57],
    [57, 58],
    [58, 42],
    [57, 42],
    [42, 42],
  ] as const)
    await asked(engine, from, `@agent link #${to}`);
  const ids = [42, 57, 58].map((number) => flowNamed(store, `github:octo-org/octo-repo#${number}`)?.id);
  expect(new Set(ids)).toEqual(new Set([first.task?.flowId]));
  expect(store.linksInto(first.task?.flowId ?? '')).toHaveLength(2);
});

test('joined flows: a pull request that closes two issues makes one flow of all; unlinked, one of them is by itself', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const [one, two] = [await asked(engine, 42), await asked(engine, 43)];
  await engine.deliver('github', 'pull_request.opened', pull({ number: 57, body: 'Fixes #42, fixes #43' }));
  const review = await asked(engine, 57);
  expect(review.task?.flowId).toBe(one.task?.flowId);
  expect((await asked(engine, 43)).task?.flowId).toBe(one.task?.flowId);
  expect(await store.unlinkFlow(two.task?.flowId ?? '')).toBe(true);
  const again = await asked(engine, 43);
  expect(again.task?.flowId).toBe(two.task?.flowId);
  expect(again.task?.conversationId).toBe(two.task?.conversationId);
  // The same words do not join it again.
  await engine.deliver('github', 'pull_request.opened', pull({ number: 57, body: 'Fixes #42, fixes #43' }));
  expect((await asked(engine, 43)).task?.flowId).toBe(two.task?.flowId);
  expect((await asked(engine, 57)).task?.flowId).toBe(one.task?.flowId);
});

test('joined flows: who may not command links nothing', async () => {
  const engine = await startEngine();
  await asked(engine, 42);
  const by = (payload: JsonObject) => {
    const { comment } = onIssue(57)(payload) as { readonly comment?: JsonObject };
    return {
      ...onIssue(57)(payload),
      sender: STRANGER,
      comment: { ...comment, user: STRANGER, author_association: 'NONE' },
    };
  };
  await engine.deliver('github', 'issue_comment.created', by, '@agent link #42');
  expect(flowNamed(engine.context.store, PR)).toBeNull();
});
