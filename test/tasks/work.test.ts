import { expect, test } from 'vitest';
import { createTask, type TaskRequest } from '../../src/tasks/create.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import type { Task, TaskEvent } from '../../src/types.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';
import { seededForTest } from '../support/seeded.ts';

const create = ({ context }: TestEngine, request: Partial<TaskRequest> = {}) =>
  createTask(context, { prompt: 'Look at it', ...request }, 'cli', 'the folder');

const change = (
  { context }: TestEngine,
  { id }: Pick<Task, 'id'>,
  event: TaskEvent,
  report: Partial<Parameters<typeof changeTask>[3]> = {},
) => changeTask(context, id, event, { actor: 'cli', ...report }, 'the folder');

test('a child inherits flow, conversation and agent; what was typed or the metadata starts a new conversation', async () => {
  const engine = await startEngine();
  const root = await create(engine, { externalId: 'jira:PROJ-123', agent: 'planning' });
  const child = await create(engine, { parentId: root.id });
  const fresh = await create(engine, { parentId: child.id, prompt: 'Now START\n FRESH, please' });
  const grandchild = await create(engine, { parentId: fresh.id });
  const flagged = await create(engine, { parentId: root.id, metadata: { new_conversation: true } });
  const kept = await create(engine, {
    parentId: root.id,
    prompt: 'start fresh',
    metadata: { new_conversation: false },
  });
  const later = await create(engine, { externalId: 'jira:PROJ-123' });

  const all = [root, child, fresh, grandchild, flagged, kept, later];
  expect(new Set(all.map(({ flowId }) => flowId))).toEqual(new Set(['flow-da9a99a002fd9fff']));
  expect([child, kept].map(({ conversationId }) => conversationId)).toEqual([
    root.conversationId,
    root.conversationId,
  ]);
  expect(fresh.conversationId).not.toBe(root.conversationId);
  expect(grandchild.conversationId).toBe(fresh.conversationId);
  expect(new Set([root, fresh, flagged].map(({ conversationId }) => conversationId)).size).toBe(3);
  expect(later.conversationId).toBe(flagged.conversationId);
  expect(grandchild).toMatchObject({ agent: 'planning', initiatedTaskId: root.id, parentTaskId: fresh.id });
});

test('concurrent first tasks of one external id make one flow and one conversation', async () => {
  const engine = await startEngine();
  const tasks = await Promise.all(
    Array.from({ length: 20 }, () => create(engine, { externalId: 'jira:PROJ-1' })),
  );
  expect(new Set(tasks.map(({ conversationId }) => conversationId)).size).toBe(1);
  expect(engine.context.store.flows()).toHaveLength(1);
  expect(engine.context.store.conversations()).toHaveLength(1);
});

test('every step is recorded with its actor; the same end twice changes nothing, another one is refused', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const task = await create(engine);
  await change(engine, task, 'start');
  const done = await change(engine, task, 'complete', { actor: 'claude', result: 'Fixed' });
  const again = await change(engine, task, 'complete', { result: 'Something else' });
  expect(again).toEqual(done);
  await expect(change(engine, task, 'fail')).rejects.toMatchObject({
    code: 'task_state',
    message: `${task.id} can't fail: it is completed already`,
  });
  await expect(change(engine, { id: 'task-none' }, 'start')).rejects.toMatchObject({
    exitCode: 4,
    message: 'there is no task task-none in the folder',
  });
  expect(store.task(task.id)).toMatchObject({ status: 'completed', result: 'Fixed' });
  expect(store.transitions(task.id).map(({ event, from, to, actor }) => [event, from, to, actor])).toEqual([
    ['create', null, 'queued', 'cli'],
    ['start', 'queued', 'running', 'cli'],
    ['complete', 'running', 'completed', 'claude'],
  ]);
});

test('a dependency blocks until it is completed, also when it failed', async () => {
  const engine = await startEngine();
  const first = await create(engine);
  const second = await create(engine, { dependsOn: [first.id] });
  await expect(change(engine, second, 'start')).rejects.toThrow(`it waits for ${first.id} (queued)`);
  await change(engine, first, 'fail', { error: 'no network' });
  await expect(change(engine, second, 'start')).rejects.toThrow(`it waits for ${first.id} (failed)`);
  await change(engine, first, 'retry');
  await change(engine, first, 'complete');
  expect(await change(engine, second, 'start')).toMatchObject({ status: 'running' });
  await expect(create(engine, { dependsOn: ['task-none'] })).rejects.toMatchObject({ exitCode: 4 });
});

test('G14: totals of a conversation equal a recomputation after 200 interleaved ends and retries', async () => {
  const random = seededForTest();
  const engine = await startEngine({ yaml: 'claudeTasks: { enabled: false }' });
  const { store } = engine.context;
  const parent = await create(engine);
  const tasks = await Promise.all(Array.from({ length: 20 }, () => create(engine, { parentId: parent.id })));
  const spent = { cost: 0, input: 0, output: 0 };
  const events = ['start', 'complete', 'fail', 'fail', 'cancel', 'retry', 'retry', 'retry'] as const;
  const run = async (step: number) => {
    const task = tasks[(step * 7) % tasks.length] ?? parent;
    const event = random.pick(events);
    const costUsd = (step % 8) / 8;
    const before = store.transitions(task.id).length;
    const report = { spent: { costUsd, inputTokens: step, outputTokens: 1 } };
    const changed = await change(engine, task, event, report).catch(() => null);
    if (changed === null || store.transitions(task.id).length === before) return;
    spent.cost += costUsd;
    spent.input += step;
    spent.output += 1;
  };
  // A lane for each task: what counts as a step is seen in its history.
  for (let step = 0; step < 200; step += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, offset) => run(step + offset)));
  }

  const all = store.tasks({ conversationId: parent.conversationId, limit: 100 });
  const [totals] = store.conversations({ id: parent.conversationId });
  const counts = Object.fromEntries(
    [...Map.groupBy(all, ({ status }) => status)].map(([status, group]) => [status, group.length]),
  );
  expect(totals?.byStatus).toEqual(counts);
  expect(totals?.usage).toMatchObject({
    costUsd: spent.cost,
    inputTokens: spent.input,
    outputTokens: spent.output,
  });
  const sum = all.reduce((ms, { usage }) => ms + (usage.durationMs ?? 0), 0);
  expect(totals?.usage.durationMs ?? 0).toBe(sum);
  expect(totals?.completedAt).toBeNull();
});

test('an allowed `@agent approve` in the thread lets the waiting task run; others are refused', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const thread = onIssue(7);
  const stranger = (payload: Parameters<typeof thread>[0]) => {
    const { comment, ...rest } = thread(payload);
    return { ...rest, comment: { ...(comment as object), author_association: 'NONE' } };
  };
  const fixed = await engine.deliver('github', 'issue_comment.created', thread, '@agent fix it');
  const [task] = fixed.tasks;
  expect(task).toMatchObject({ status: 'waiting_approval' });
  const id = task?.id ?? '';
  expect(await entryIds(engine)).toEqual([]);

  const refused = await engine.deliver('github', 'issue_comment.created', stranger, '@agent approve');
  expect(refused.delivery).toMatchObject({
    status: 'ignored',
    reason: expect.stringContaining('may not command'),
  });
  const elsewhere = await engine.deliver(
    'github',
    'issue_comment.created',
    onIssue(8),
    `@agent approve ${id}`,
  );
  expect(elsewhere.delivery.reason).toContain(`this thread has no task ${id}`);
  expect(store.task(id)?.status).toBe('waiting_approval');

  const approved = await engine.deliver('github', 'issue_comment.created', thread, '@agent approve, thanks');
  expect(approved.delivery).toMatchObject({ status: 'processed' });
  expect(store.task(id)?.status).toBe('queued');
  expect(await entryIds(engine)).toEqual([id]);
  expect(store.transitions(id).at(-1)).toMatchObject({
    event: 'approve',
    actor: expect.stringMatching(/^github:/),
  });
  const twice = await engine.deliver('github', 'issue_comment.created', thread, '@agent approve');
  expect(twice.delivery.reason).toContain('no task of this thread waits for approval');
});

async function entryIds({ folder }: TestEngine): Promise<readonly string[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const list = `${folder}/claude/tasks/hookctl`;
  const names = (await readdir(list)).filter((name) => /^\d+\.json$/.test(name));
  const files = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(`${list}/${name}`, 'utf8'))),
  );
  return files.map(({ metadata }) => metadata.orchestration_task_id).filter((id) => id !== undefined);
}
