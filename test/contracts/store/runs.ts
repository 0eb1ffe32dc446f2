import { describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { NOW, taskInFlow } from '../../store/records.ts';
import {
  ATTACHMENT,
  change,
  comment,
  everything,
  freshStore,
  idsOf,
  runEnd,
  runStart,
  wait,
  withTasks,
} from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const OTHER = { flowId: 'flow-2', externalId: 'github:octo/repo#2' };
const USAGE = { costUsd: 0.5, inputTokens: 10, outputTokens: 20, turns: 3 };
const SPENT = { costUsd: 0.5, inputTokens: 10, outputTokens: 20 };

export function runsContract(implementation: Implementation): void {
  describe('agents and their backlog', () => {
    const queued = (store: Store) =>
      store.queuedTasks(['planning', 'brain'], 10).map(({ id, isBacklog }) => [id, isBacklog]);

    test('what is queued for a new agent waits for its release, what is queued later does not', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2'], ['task-3', { task: { agent: 'other' } }]]);
      expect([queued(store), store.backlogs()]).toEqual([
        [
          ['task-1', false],
          ['task-2', false],
        ],
        [],
      ]);
      await store.noteAgents(['planning'], NOW + 6);
      const held = [{ agent: 'planning', tasks: 2 }];
      expect(store.backlogs()).toEqual(held);
      await store.createTask({
        ...{
          task: taskInFlow('task-0').task,
          source: 'cli',
          actor: 'ada',
          owner: 'operator',
          parent: null,
          dependsOn: ['task-1'],
        },
        ...{
          flowId: 'flow-9',
          externalId: 'cli:9',
          newConversationId: 'conv-9',
          startNewConversation: false,
        },
        at: NOW + 7,
      });
      expect(queued(store)).toEqual([
        ['task-0', false],
        ['task-1', true],
        ['task-2', true],
      ]);
      expect(store.queuedTasks(['planning'], 1)).toEqual([
        {
          ...{
            id: 'task-0',
            agent: 'planning',
            owner: 'operator',
            flowId: 'flow-9',
            conversationId: 'conv-9',
          },
          ...{ dependsOn: ['task-1'], trust: 'operator', isBacklog: false },
        },
      ]);
      await store.noteAgents(['planning', 'brain'], NOW + 8);
      expect(store.backlogs()).toEqual(held);
      expect(await store.releaseBacklog('planning')).toBe(true);
      expect(await store.releaseBacklog('planning')).toBe(false);
      expect(await store.releaseBacklog('brain')).toBe(false);
      expect([store.backlogs(), queued(store).map(([, isBacklog]) => isBacklog)]).toEqual([
        [],
        [false, false, false],
      ]);
    });

    test('an agent that is no longer configured is new again when it comes back', async () => {
      const store = await freshStore(implementation);
      await store.noteAgents(['planning'], NOW);
      await withTasks(store, 'dlv-1', [['task-1']]);
      await store.noteAgents(['planning'], NOW + 6);
      expect(store.backlogs()).toEqual([]);
      await store.noteAgents([], NOW + 7);
      await store.noteAgents(['planning'], NOW + 8);
      expect(store.backlogs()).toEqual([{ agent: 'planning', tasks: 1 }]);
    });
  });

  describe('runs', () => {
    test('noteWaiting: notes why a queued task waits, and forgets what no longer does', async () => {
      const store = await freshStore(implementation);
      const [one = null, two = null, held = null] = await withTasks(store, 'dlv-1', [
        ['task-1'],
        ['task-2', OTHER],
        ['task-3', { task: { status: 'waiting_approval' } }],
      ]);
      await store.noteWaiting([wait('run-1', one), wait('run-2', two), wait('run-3', held)], []);
      expect(store.openRuns()).toMatchObject([
        { id: 'run-1', taskId: 'task-1', flowId: 'flow-1', state: 'waiting', reason: 'too many runs' },
        { id: 'run-2', agent: 'planning', runner: 'command', pid: null, startedAt: null, createdAt: NOW + 8 },
      ]);
      const over = wait('run-1', one, { state: 'held', reason: 'over budget', at: NOW + 9 });
      await store.noteWaiting([over], ['run-2', 'run-none']);
      expect(store.openRuns()).toMatchObject([
        { id: 'run-1', state: 'held', reason: 'over budget', createdAt: NOW + 8 },
      ]);
      await store.startRun(runStart('run-1', one));
      await store.noteWaiting([over], ['run-1']);
      expect(store.run('run-1')).toMatchObject({ state: 'running', reason: null });
      expect(store.run('run-2')).toBeNull();
    });

    test('attach: a conversation is held by one person until detach; ending its run at once is not taken back', async () => {
      const store = await freshStore(implementation);
      await store.attach(ATTACHMENT);
      await store.attach({ ...ATTACHMENT, atOnce: true });
      await store.attach({ ...ATTACHMENT, actor: 'another' });
      expect(store.attachments()).toEqual([{ ...ATTACHMENT, atOnce: true }]);
      expect(await store.detach('conv-1')).toBe(true);
      expect(await store.detach('conv-1')).toBe(false);
      expect(store.attachments()).toEqual([]);
    });

    test('startRun: takes the task, and makes the run where it did not wait before', async () => {
      const store = await freshStore(implementation);
      const [one = null, two = null] = await withTasks(store, 'dlv-1', [['task-1'], ['task-2', OTHER]]);
      await store.noteWaiting([wait('run-1', one)], []);
      const task = await store.startRun(runStart('run-1', one));
      expect(task).toMatchObject({ id: 'task-1', status: 'running', startedAt: NOW + 10 });
      expect(store.task('task-1')).toEqual(task);
      await store.startRun(runStart('run-2', two));
      expect(store.openRuns()).toMatchObject([
        {
          ...{ id: 'run-1', state: 'running', reason: null, folder: '/project', logPath: '/logs/run-1' },
          ...{ createdAt: NOW + 8, startedAt: NOW + 10, endedAt: null },
        },
        { id: 'run-2', taskId: 'task-2', state: 'running' },
      ]);
    });

    test('startRun: null when the task is not queued any more, and nothing changed', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      await store.noteWaiting([wait('run-1', task)], []);
      await store.changeTask(change('task-1', { event: 'cancel', to: 'cancelled' }));
      const before = everything(store);
      expect(await store.startRun(runStart('run-1', task))).toBeNull();
      expect(await store.startRun(runStart('run-2', task))).toBeNull();
      expect(everything(store)).toEqual(before);
    });

    test('of one conversation one run goes on at a time: a second start rejects and leaves nothing behind', async () => {
      const store = await freshStore(implementation);
      const [one = null, two = null] = await withTasks(store, 'dlv-1', [['task-1'], ['task-2']]);
      const started = await Promise.allSettled([
        store.startRun(runStart('run-1', one)),
        store.startRun(runStart('run-2', two)),
      ]);
      expect(started.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(started[1]).toMatchObject({ reason: { code: 'store_write' } });
      expect([store.task('task-2')?.status, idsOf(store.openRuns())]).toEqual(['queued', ['run-1']]);
      await store.endRun(runEnd('run-1'));
      expect((await store.startRun(runStart('run-2', two)))?.status).toBe('running');
    });

    test('noteRun: what is learnt is added to what is known; of an unknown run nothing is', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      await store.startRun(runStart('run-1', task));
      await store.noteRun('run-1', { pid: 4711, commandLine: ['claude', '-p'] });
      await store.noteRun('run-1', { sessionId: 'session-1', openWith: 'claude --resume session-1' });
      await store.noteRun('run-none', { pid: 1 });
      expect(store.runsOfTask('task-1')).toMatchObject([
        {
          ...{ id: 'run-1', pid: 4711, commandLine: ['claude', '-p'], sessionId: 'session-1' },
          openWith: 'claude --resume session-1',
        },
      ]);
    });

    test('endRun: ends the run, and changes its task with what it took', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      await store.startRun(runStart('run-1', task));
      const reply = { deliveryId: 'dlv-1', item: comment('out-1'), becomesTaskComment: false };
      const end = change('task-1', { from: 'running', result: 'done', spent: SPENT, reply, at: NOW + 100 });
      const ended = await store.endRun(
        runEnd('run-1', {
          ...{ usage: USAGE, denials: ['Bash'], exitCode: 3, signal: 'SIGTERM', reason: 'ended' },
          task: { kind: 'change', change: end },
        }),
      );
      expect(ended).toMatchObject({
        ...{ status: 'completed', result: 'done', completedAt: NOW + 100 },
        usage: { ...SPENT, durationMs: 90 },
      });
      expect(store.run('run-1')).toMatchObject({
        ...{ state: 'completed', reason: 'ended', exitCode: 3, signal: 'SIGTERM', usage: USAGE },
        ...{ denials: ['Bash'], endedAt: NOW + 100 },
      });
      expect([store.openRuns(), idsOf(store.waitingOutgoing(5))]).toEqual([[], ['out-1']]);
    });

    test('endRun: null where the change no longer fits, but the run has ended', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      await store.startRun(runStart('run-1', task));
      await store.changeTask(change('task-1', { from: 'running' }));
      const late = { kind: 'change', change: change('task-1', { from: 'running' }) } as const;
      expect(await store.endRun(runEnd('run-1', { state: 'cancelled', task: late }))).toBeNull();
      expect(store.run('run-1')).toMatchObject({ state: 'cancelled', endedAt: NOW + 100 });
    });

    test('endRun: reports to a task that moved on what the run took, and its result where it has none', async () => {
      const store = await freshStore(implementation);
      const [one = null, two = null] = await withTasks(store, 'dlv-1', [['task-1'], ['task-2', OTHER]]);
      await store.startRun(runStart('run-1', one));
      await store.startRun(runStart('run-2', two));
      await store.changeTask(change('task-1', { from: 'running', result: 'by hand' }));
      await store.changeTask(change('task-2', { from: 'running' }));
      const report = (taskId: string, item: string) => ({
        ...({ taskId, from: 'completed', result: 'by the agent', spent: SPENT, at: NOW + 100 } as const),
        reply: { deliveryId: 'dlv-1', item: comment(item), becomesTaskComment: false },
      });
      for (const [run, taskId] of [['run-1', 'task-1'] as const, ['run-2', 'task-2'] as const]) {
        const task = { kind: 'report', report: report(taskId, `out-${taskId}`) } as const;
        expect((await store.endRun(runEnd(run, { task })))?.status).toBe('completed');
      }
      expect(store.task('task-1')).toMatchObject({ result: 'by hand', usage: SPENT, completedAt: NOW + 10 });
      expect(store.task('task-2')).toMatchObject({ result: 'by the agent', updatedAt: NOW + 100 });
      expect(idsOf(store.outbox())).toEqual(['out-task-2', 'out-task-1']);
      expect(store.transitions('task-1').map(({ event }) => event)).toEqual(['create', 'start', 'complete']);
    });

    test('lastSession: of the newest run of the conversation with that key that was in one', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      const again = { event: 'release', from: 'running', to: 'queued', isEnd: false } as const;
      for (const [number, sessionKey] of ['planning', 'planning', 'other', 'planning'].entries()) {
        const id = `run-${number}`;
        await store.startRun(runStart(id, task, { sessionKey }));
        if (number < 3) await store.noteRun(id, { sessionId: `session-${number}` });
        await store.endRun(runEnd(id, { task: { kind: 'change', change: change('task-1', again) } }));
      }
      const last = (key: string, conversation = 'conv-task-1') => store.lastSession(conversation, key);
      expect([last('planning'), last('other'), last('none'), last('planning', 'conv-none')]).toEqual([
        ...['session-1', 'session-2', null],
        null,
      ]);
      expect(idsOf(store.runsOfTask('task-1'))).toEqual(['run-0', 'run-1', 'run-2', 'run-3']);
    });

    test('sessionFolder, runOnBranch: of the newest run that was in the session, or had the branch', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      const again = { event: 'release', from: 'running', to: 'queued', isEnd: false } as const;
      for (const number of [1, 2]) {
        await store.startRun(runStart(`run-${number}`, task, {}));
        const branch = 'hookctl-1-a-0123abcd';
        await store.noteRun(`run-${number}`, { sessionId: 'session-1', folder: `/room-${number}`, branch });
        await store.endRun(
          runEnd(`run-${number}`, { task: { kind: 'change', change: change('task-1', again) } }),
        );
      }
      expect([store.sessionFolder('session-1'), store.sessionFolder('none')]).toEqual(['/room-2', null]);
      expect(store.runOnBranch('hookctl-1-a-0123abcd')?.id).toBe('run-2');
      expect([store.runOnBranch('main'), store.runOnBranch('')]).toEqual([null, null]);
    });

    test('spent: costs of runs since then, their limit where none was reported, of one flow or all, also of pruned tasks', async () => {
      const store = await freshStore(implementation);
      const tasks = await withTasks(store, 'dlv-1', [
        ['task-1'],
        ['task-2', OTHER],
        ['task-3', { flowId: 'flow-3', externalId: 'x:3' }],
        ['task-4', { flowId: 'flow-4', externalId: 'x:4' }],
      ]);
      for (const [index, task] of tasks.entries()) {
        const at = NOW + 10 * index;
        const step = change(task.id, { event: 'start', to: 'running', isEnd: false, at });
        await store.startRun(runStart(`run-${index}`, task, { reservedUsd: 2, change: step }));
      }
      await store.noteWaiting(
        [wait('run-9', (await withTasks(store, 'dlv-2', [['task-9']]))[0] ?? null)],
        [],
      );
      const end = (id: string) => ({ kind: 'change', change: change(id, { from: 'running' }) }) as const;
      await store.endRun(runEnd('run-1', { usage: USAGE, task: end('task-2') }));
      await store.endRun(runEnd('run-2', { task: end('task-3') }));
      const all = { runs: 4, endedUsd: 2.5, runningUsd: 4 };
      expect(store.spent(NOW - 1)).toEqual(all);
      expect(store.spent(NOW)).toEqual({ runs: 3, endedUsd: 2.5, runningUsd: 2 });
      expect(store.spent(NOW - 1, { flowId: 'flow-2' })).toEqual({ runs: 1, endedUsd: 0.5, runningUsd: 0 });
      expect(store.spent(NOW - 1, { flowId: 'flow-none' })).toEqual({ runs: 0, endedUsd: 0, runningUsd: 0 });
      const filter = { before: NOW + 1_000, samples: false };
      const trees = store.prunableTrees(filter, '', 10);
      expect((await store.pruneTrees(trees, filter, NOW + 1_000)).toSorted()).toEqual(['task-2', 'task-3']);
      expect([store.run('run-1'), store.spent(NOW - 1)]).toEqual([null, all]);
      expect(store.spent(NOW - 1, { flowId: 'flow-2' })).toEqual({ runs: 1, endedUsd: 0.5, runningUsd: 0 });
    });

    test('giveNotice: once for a scope, again after since, with its post', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const notice = (scope: string, at: number, item: string | null) =>
        store.giveNotice({
          ...{ scope, since: at - 100, at },
          reply: item === null ? null : { item: comment(item), deliveryId: 'dlv-1' },
        });
      expect(await Promise.all([notice('day', NOW, 'out-1'), notice('day', NOW + 1, 'out-2')])).toEqual([
        true,
        false,
      ]);
      expect(await notice('flow-1', NOW + 2, null)).toBe(true);
      expect(await notice('day', NOW + 99, 'out-3')).toBe(false);
      expect(await notice('day', NOW + 100, 'out-4')).toBe(true);
      expect(await notice('day', NOW + 150, 'out-5')).toBe(false);
      expect(idsOf(store.outbox())).toEqual(['out-4', 'out-1']);
    });
  });
}
