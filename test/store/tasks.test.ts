import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { freshStore, NOW, newDelivery, outcome, storePath, taskInFlow } from './fixtures.ts';

test('an outcome stores decisions and tasks together, and returns the tasks as stored', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1'));
  const decisions = [
    {
      event: 0,
      eventType: 'issues.opened',
      command: 'analyze',
      fired: true,
      reason: 'named',
      taskIds: ['task-1'],
      error: null,
    },
  ];
  const [task] = await store.recordOutcome(outcome('dlv-1', { decisions, tasks: [taskInFlow('task-1')] }));

  expect(task).toEqual({
    id: 'task-1',
    title: 'Task task-1',
    status: 'queued',
    agent: 'planning',
    prompt: 'Analyze it',
    flowId: 'flow-1',
    conversationId: 'conv-task-1',
    source: 'github',
    parentTaskId: null,
    dependsOn: [],
    initiatedTaskId: 'task-1',
    deliveryId: 'dlv-1',
    webhook: 'github',
    command: 'analyze',
    externalId: 'github:octo/repo#1',
    url: null,
    result: null,
    error: null,
    sourceMetadata: { source: 'github' },
    syncToClaudeTasks: true,
    unsynced: null,
    trust: 'verified',
    isSample: false,
    usage: { costUsd: null, inputTokens: null, outputTokens: null, durationMs: null },
    createdAt: NOW + 5,
    updatedAt: NOW + 5,
    startedAt: null,
    completedAt: null,
  });
  expect(store.task('task-1')).toEqual(task);
  expect(store.delivery('dlv-1')?.decisions).toEqual(decisions);
});

test('a delivery is settled once: a second outcome changes nothing', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1'));
  await store.recordOutcome(outcome('dlv-1', { tasks: [taskInFlow('task-1')] }));
  const again = outcome('dlv-1', {
    status: 'failed',
    tasks: [taskInFlow('task-2', { flowId: 'flow-2', startNewConversation: true })],
  });
  expect(await store.recordOutcome(again)).toEqual([]);
  expect(await store.recordOutcome({ ...again, deliveryId: 'dlv-none' })).toEqual([]);
  expect(store.delivery('dlv-1')?.status).toBe('processed');
  expect(store.tasks().map((task) => task.id)).toEqual(['task-1']);
  expect((await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:sender-dlv-1'] }))).status).toBe(
    'duplicate',
  );
});

test('a delivery that failed after it made a task has acted: its redelivery is a duplicate', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
  await store.recordOutcome(outcome('dlv-1', { status: 'failed', tasks: [taskInFlow('task-1')] }));
  expect((await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).status).toBe('duplicate');
});

test('a later delivery joins the flow and its conversation until a new one is asked for', async () => {
  const path = storePath();
  const store = await freshStore(path);
  const steps = [
    taskInFlow('task-1'),
    taskInFlow('task-2'),
    taskInFlow('task-3', { startNewConversation: true }),
    taskInFlow('task-4'),
  ];
  for (const [index, task] of steps.entries()) {
    await store.accept(newDelivery(`dlv-${index}`));
    await store.recordOutcome(outcome(`dlv-${index}`, { tasks: [task] }));
  }
  expect(store.tasks({ after: '' }).map((task) => task.conversationId)).toEqual([
    'conv-task-1',
    'conv-task-1',
    'conv-task-3',
    'conv-task-3',
  ]);
  expect(countOf(path, 'flows')).toBe(1);
  expect(countOf(path, 'conversations')).toBe(2);
});

test('tasks of one outcome in one flow share a conversation, other flows have their own', async () => {
  const path = storePath();
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-1'));
  const tasks = await store.recordOutcome(
    outcome('dlv-1', {
      tasks: [
        taskInFlow('task-1'),
        taskInFlow('task-2', { startNewConversation: true }),
        taskInFlow('task-3', { flowId: 'flow-2', externalId: 'github:octo/repo#2' }),
      ],
    }),
  );
  expect(tasks.map((task) => task.conversationId)).toEqual(['conv-task-1', 'conv-task-1', 'conv-task-3']);
  expect([countOf(path, 'flows'), countOf(path, 'conversations')]).toEqual([2, 2]);
});

test('twenty first deliveries of one issue at once make one flow and one conversation', async () => {
  const path = storePath();
  const store = await freshStore(path);
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  await Promise.all(numbers.map((number) => store.accept(newDelivery(`dlv-${number}`))));
  const settled = await Promise.all(
    numbers.map((number) =>
      store.recordOutcome(outcome(`dlv-${number}`, { tasks: [taskInFlow(`task-${number}`)] })),
    ),
  );
  expect(new Set(settled.flat().map((task) => task.conversationId)).size).toBe(1);
  expect([countOf(path, 'flows'), countOf(path, 'conversations'), countOf(path, 'tasks')]).toEqual([
    1, 1, 20,
  ]);
});

test('sync notes are merged into the stored metadata', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1'));
  await store.recordOutcome(outcome('dlv-1', { tasks: [taskInFlow('task-1')] }));
  const note = {
    taskId: 'task-1',
    claudeTaskId: 'claude-task-task-1',
    claudeList: null,
    unsynced: 'no folder',
  };
  await store.noteSync([note]);
  expect(store.task('task-1')?.unsynced).toBe('no folder');
  await store.noteSync([
    { ...note, claudeTaskId: null, claudeList: { list: 'hookctl', number: 3 }, unsynced: null },
  ]);
  expect(store.task('task-1')).toMatchObject({
    unsynced: null,
    sourceMetadata: {
      source: 'github',
      claude_task_id: 'claude-task-task-1',
      claude_list: { list: 'hookctl', number: 3 },
    },
  });
});

test('lists, counts and the projection show the tasks that they name', async () => {
  const path = storePath();
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-1'));
  await store.accept(newDelivery('dlv-2'));
  const tasks = ['task-1', 'task-2', 'task-3'].map((id) => taskInFlow(id));
  await store.recordOutcome(outcome('dlv-1', { tasks }));
  const unsynced = taskInFlow('task-4', { flowId: 'flow-2', task: { syncToClaudeTasks: false } });
  const waiting = taskInFlow('task-5', { task: { status: 'waiting_approval' } });
  await store.recordOutcome(outcome('dlv-2', { tasks: [unsynced, waiting] }));
  complete(path, 'task-1', NOW + 20);
  complete(path, 'task-2', NOW + 10);

  const idsOf = (filter: Parameters<typeof store.tasks>[0]) => store.tasks(filter).map((task) => task.id);
  expect(idsOf({ deliveryId: 'dlv-2' })).toEqual(['task-5', 'task-4']);
  expect(idsOf({ flowId: 'flow-1', status: 'queued' })).toEqual(['task-3']);
  expect(idsOf({ after: 'task-3', limit: 1 })).toEqual(['task-4']);
  expect(store.countsByTaskStatus()).toEqual({ completed: 2, queued: 2, waiting_approval: 1 });
  expect(store.projectable(1).map((task) => task.id)).toEqual(['task-1', 'task-3', 'task-5']);
  expect(store.projectable(0).map((task) => task.id)).toEqual(['task-3', 'task-5']);
});

function countOf(path: string, table: 'flows' | 'conversations' | 'tasks'): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(`select count(*) as count from ${table}`).get()?.count;
  } finally {
    db.close();
  }
}

function complete(path: string, taskId: string, completedAt: number): void {
  const db = new DatabaseSync(path);
  try {
    db.prepare("update tasks set status = 'completed', completed_at = ? where id = ?").run(
      completedAt,
      taskId,
    );
  } finally {
    db.close();
  }
}

test('E26: the average cost of a conversation counts only tasks that said what they cost', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1'));
  const costs = [0.5, null, 1.5, null, null];
  const tasks = costs.map((_, index) => taskInFlow(`task-${index}`));
  await store.recordOutcome(outcome('dlv-1', { tasks }));
  const conversationId = store.task('task-0')?.conversationId ?? '';
  const conversation = () => store.conversations().find(({ id }) => id === conversationId);
  expect(conversation()?.averageCostUsd).toBeNull();
  // The last task stays open.
  for (const [index, costUsd] of costs.slice(0, -1).entries()) {
    await store.changeTask({
      taskId: `task-${index}`,
      event: 'complete',
      from: 'queued',
      to: 'completed',
      isEnd: true,
      actor: 'ada',
      reason: null,
      result: null,
      error: null,
      spent: { costUsd, inputTokens: null, outputTokens: null },
      reply: null,
      at: NOW + 10,
    });
  }
  expect(conversation()).toMatchObject({ averageCostUsd: 1 });
});
