import { describe, expect, test } from 'vitest';
import { NOW, newDelivery, outcome } from '../../store/records.ts';
import {
  change,
  comment,
  creation,
  everything,
  freshStore,
  idsOf,
  NOTHING_SPENT,
  start,
  withTasks,
} from './fixtures.ts';
import type { Implementation } from './implementations.ts';

export function tasksContract(implementation: Implementation): void {
  describe('createTask', () => {
    test('a typed task opens its flow, and a child is where its parent is', async () => {
      const store = await freshStore(implementation);
      const typed = await store.createTask(creation('task-1', { source: 'api', actor: 'ada' }));
      expect(typed).toMatchObject({
        ...{ id: 'task-1', flowId: 'flow-typed', externalId: 'cli:typed', conversationId: 'conv-task-1' },
        ...{ source: 'api', trust: 'operator', isSample: false, deliveryId: null, webhook: null },
        ...{ parentTaskId: null, initiatedTaskId: 'task-1', dependsOn: [], createdAt: NOW },
      });
      expect(store.task('task-1')).toEqual(typed);
      expect(store.transitions('task-1')).toMatchObject([{ event: 'create', actor: 'ada', at: NOW }]);

      const [parent = null] = await withTasks(store, 'dlv-1', [['task-2']], {
        ...{ trust: 'unverified', isSample: true },
      });
      const flow = { flowId: 'flow-1', externalId: 'github:octo/repo#1' };
      await withTasks(store, 'dlv-2', [['task-3', { startNewConversation: true }]]);
      const child = await store.createTask(creation('task-4', { ...flow, parent, dependsOn: ['task-2'] }));
      expect(child).toMatchObject({
        ...{ flowId: 'flow-1', conversationId: 'conv-task-2', externalId: 'github:octo/repo#1' },
        ...{ parentTaskId: 'task-2', initiatedTaskId: 'task-2', dependsOn: ['task-2'], deliveryId: null },
        ...{ trust: 'unverified', isSample: true },
      });
      const fresh = creation('task-5', { ...flow, parent: child, startNewConversation: true });
      expect(await store.createTask(fresh)).toMatchObject({
        ...{ conversationId: 'conv-task-5', parentTaskId: 'task-4', initiatedTaskId: 'task-2' },
      });
      expect(idsOf(store.tree('task-2'))).toEqual(['task-2', 'task-4', 'task-5']);
      expect(idsOf(store.dependents('task-2'))).toEqual(['task-4']);
      await store.changeTask(change('task-4'));
      expect(store.dependents('task-2')).toEqual([]);
    });

    test('mostBelow: with as many open tasks below the root, nothing is stored', async () => {
      const store = await freshStore(implementation);
      const parent = await store.createTask(creation('task-1'));
      const below = (id: string) => store.createTask(creation(id, { parent, mostBelow: 2 }));
      const made = await Promise.all([below('task-2'), below('task-3'), below('task-4')]);
      expect(made.map((task) => task?.id ?? null)).toEqual(['task-2', 'task-3', null]);
      const before = everything(store);
      expect(await below('task-5')).toBeNull();
      expect(everything(store)).toEqual(before);
      await store.changeTask(change('task-2'));
      expect((await below('task-6'))?.id).toBe('task-6');
      expect((await store.createTask(creation('task-7', { parent })))?.id).toBe('task-7');
    });
  });

  describe('changeTask', () => {
    test('a change whose from does not fit, or of an unknown task, is null and changes nothing', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const before = everything(store);
      const reply = { deliveryId: 'dlv-1', item: comment('out-1'), becomesTaskComment: true };
      expect(await store.changeTask(change('task-1', { from: 'running', reply }))).toBeNull();
      expect(await store.changeTask(change('task-none', { reply }))).toBeNull();
      expect(everything(store)).toEqual(before);
    });

    test('of two changes from one status at once, one is done', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const ends = [change('task-1'), change('task-1', { event: 'cancel', to: 'cancelled' })];
      const done = await Promise.all(ends.map((each) => store.changeTask(each)));
      expect(done.map((task) => task?.status ?? null)).toEqual(['completed', null]);
      expect(store.transitions('task-1').map(({ event }) => event)).toEqual(['create', 'complete']);
    });

    test('usage and duration of its runs add up; a step that is no end takes the end back', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const spent = { costUsd: 0.5, inputTokens: 10, outputTokens: null };
      expect(await store.changeTask(start('task-1', NOW + 10))).toMatchObject({
        ...{ status: 'running', startedAt: NOW + 10, completedAt: null, updatedAt: NOW + 10 },
      });
      const failed = await store.changeTask(
        change('task-1', {
          ...{ event: 'fail', from: 'running', to: 'failed', error: 'exit 1', reason: 'it broke', spent },
          at: NOW + 30,
        }),
      );
      expect(failed).toMatchObject({
        ...{ status: 'failed', error: 'exit 1', startedAt: NOW + 10, completedAt: NOW + 30 },
        usage: { costUsd: 0.5, inputTokens: 10, outputTokens: null, durationMs: 20 },
      });
      expect(store.task('task-1')).toEqual(failed);
      expect(store.transitions('task-1').at(-1)).toEqual({
        ...{ event: 'fail', from: 'running', to: 'failed', actor: 'ada', reason: 'it broke', at: NOW + 30 },
      });
      const retry = { event: 'retry', from: 'failed', to: 'queued', isEnd: false, at: NOW + 40 } as const;
      expect(await store.changeTask(change('task-1', retry))).toMatchObject({
        ...{ status: 'queued', error: null, startedAt: null, completedAt: null },
      });
      await store.changeTask(start('task-1', NOW + 50));
      const more = { costUsd: 0.25, inputTokens: null, outputTokens: 7 };
      const end = { from: 'running', spent: more, result: 'done', at: NOW + 51 } as const;
      expect(await store.changeTask(change('task-1', end))).toMatchObject({
        ...{ status: 'completed', result: 'done', completedAt: NOW + 51 },
        usage: { costUsd: 0.75, inputTokens: 10, outputTokens: 7, durationMs: 21 },
      });
    });

    test('its reply waits from the same moment on, and takes the place of edits that were not tried', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2']]);
      const step = (id: string, edits: string | null, becomesTaskComment = false) => {
        const turn = { event: 'release', from: 'queued', to: 'queued', isEnd: false } as const;
        const reply = { deliveryId: 'dlv-1', item: comment(id, { edits }), becomesTaskComment };
        return store.changeTask(change('task-1', { ...turn, reply }));
      };
      expect((await step('out-1', null, true))?.sourceMetadata).toEqual({
        ...{ source: 'github', comment_outgoing_id: 'out-1' },
      });
      expect(store.outgoing('out-1')).toMatchObject({ status: 'waiting', provider: 'github' });
      await step('out-2', 'out-1');
      await store.beginOutgoing('out-2');
      await step('out-3', 'out-1');
      await step('out-4', 'out-other');
      await step('out-5', 'out-1');
      const states = idsOf(store.outbox()).map((id) => [id, store.outgoing(id)?.status]);
      expect(Object.fromEntries(states)).toEqual({
        ...{ 'out-1': 'waiting', 'out-2': 'waiting', 'out-3': 'dropped' },
        ...{ 'out-4': 'waiting', 'out-5': 'waiting' },
      });
      expect(store.outgoing('out-3')).toMatchObject({ settledAt: NOW + 10, reason: expect.any(String) });
    });

    test('where the delivery that is answered was forgotten, the task moves on and nothing is sent', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const reply = { deliveryId: 'dlv-none', item: comment('out-1'), becomesTaskComment: false };
      expect((await store.changeTask(change('task-1', { reply })))?.status).toBe('completed');
      expect(store.outbox()).toEqual([]);
    });
  });

  describe('notes and lists of tasks', () => {
    test('noteTask: not twice in a row, not of an unknown task; the task stays as it is', async () => {
      const store = await freshStore(implementation);
      const [task] = await withTasks(store, 'dlv-1', [['task-1']]);
      const note = { taskId: 'task-1', event: 'delete', actor: 'claude', reason: null, at: NOW + 6 } as const;
      expect(await store.noteTask(note)).toBe(true);
      expect(await store.noteTask({ ...note, at: NOW + 7 })).toBe(false);
      expect(await store.noteTask({ ...note, reason: 'other' })).toBe(true);
      expect(await store.noteTask(note)).toBe(true);
      expect(await store.noteTask({ ...note, taskId: 'task-none' })).toBe(false);
      expect(store.task('task-1')).toEqual(task);
      expect(store.transitions('task-1').slice(1)).toMatchObject([
        { ...{ event: 'delete', from: 'queued', to: 'queued', actor: 'claude' }, reason: null, at: NOW + 6 },
        { reason: 'other' },
        { reason: null },
      ]);
    });

    test('noteSync: notes are merged into the stored metadata, a null field leaves the stored value', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2']]);
      const note = { taskId: 'task-1', claudeTaskId: 'claude-1', claudeList: null, unsynced: 'no folder' };
      await store.noteSync([note, { ...note, taskId: 'task-2', claudeTaskId: 'claude-2', unsynced: null }]);
      expect(store.task('task-1')?.unsynced).toBe('no folder');
      const list = { list: 'hookctl', number: 3 };
      await store.noteSync([{ ...note, claudeTaskId: null, claudeList: list, unsynced: null }]);
      await store.noteSync([]);
      expect(store.task('task-1')).toMatchObject({
        unsynced: null,
        sourceMetadata: { source: 'github', claude_task_id: 'claude-1', claude_list: list },
      });
      expect(store.task('task-2')?.sourceMetadata).toEqual({ source: 'github', claude_task_id: 'claude-2' });
    });

    test('lists, counts and the projection show the tasks that they name', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2'], ['task-3', { task: { agent: 'brain' } }]]);
      await withTasks(store, 'dlv-2', [
        ['task-4', { flowId: 'flow-2', task: { syncToClaudeTasks: false } }],
        ['task-5', { task: { status: 'waiting_approval' } }],
        ['task-6', { task: { status: 'waiting_answer', syncToClaudeTasks: false } }],
        ['task-7', { task: { status: 'waiting_answer', syncToClaudeTasks: false } }],
      ]);
      await store.changeTask(change('task-1', { at: NOW + 20 }));
      await store.changeTask(change('task-2', { at: NOW + 10 }));

      const listed = (filter: Parameters<typeof store.tasks>[0]) => idsOf(store.tasks(filter));
      expect(listed({ deliveryId: 'dlv-2' })).toEqual(['task-7', 'task-6', 'task-5', 'task-4']);
      expect(listed({ flowId: 'flow-1', status: 'queued' })).toEqual(['task-3']);
      expect(listed({ open: true, deliveryId: 'dlv-1' })).toEqual(['task-3']);
      expect(listed({ agent: 'brain' })).toEqual(['task-3']);
      expect(listed({ conversationId: 'conv-task-4' })).toEqual(['task-4']);
      expect(listed({ after: 'task-3', limit: 1 })).toEqual(['task-4']);
      expect(store.countsByTaskStatus()).toEqual({
        ...{ completed: 2, queued: 2, waiting_approval: 1, waiting_answer: 2 },
      });
      expect(store.agentNames()).toEqual(['brain', 'planning']);
      expect(idsOf(store.projectable(1))).toEqual(['task-1', 'task-3', 'task-5']);
      expect(idsOf(store.projectable(0))).toEqual(['task-3', 'task-5']);
      expect([store.openQuestion('flow-1')?.id, store.openQuestion('flow-2')]).toEqual(['task-6', null]);
    });
  });

  describe('events for agents', () => {
    const kinds = (events: readonly { readonly kind: string; readonly taskId: string }[]) =>
      events.map(({ kind, taskId }) => `${kind} ${taskId}`);

    test('a consumer gets what is queued, and what people do from then on, each once until it acknowledges', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [
        ['task-1'],
        ['task-2', { task: { status: 'waiting_answer' } }],
        ['task-3', { task: { status: 'waiting_approval' } }],
        ['task-4'],
      ]);
      const cancel = { event: 'cancel', to: 'cancelled', actor: 'bob', reason: 'wrong' } as const;
      await store.changeTask(change('task-4', cancel));
      expect([store.isConsumer('ada'), store.agentEvents({ consumer: 'ada' })]).toEqual([false, []]);
      await store.joinEvents('ada', null, NOW);
      expect(store.isConsumer('ada')).toBe(true);
      const seen = () => store.agentEvents({ consumer: 'ada' });
      expect(kinds(seen())).toEqual(['task task-1']);

      await store.accept(newDelivery('dlv-2'));
      const answer = { kind: 'answer', taskId: 'task-2', prompt: ' yes' } as const;
      await store.recordOutcome(outcome('dlv-2', { effects: [answer] }));
      await store.changeTask(change('task-3', { ...cancel, from: 'waiting_approval' }));
      await store.changeTask(change('task-1', cancel));
      const events = seen();
      expect(kinds(events)).toEqual(['answer task-2', 'cancel task-1']);
      expect(events[1]).toMatchObject({ actor: 'bob', reason: 'wrong', at: NOW + 10 });
      const [first] = events;
      expect(await store.ackEvent('ada', first?.id ?? '')).toBe(true);
      expect(kinds(seen())).toEqual(['cancel task-1']);
      expect(await store.ackEvent('ada', first?.id ?? '')).toBe(true);
      expect(await store.ackEvent('bob', first?.id ?? '')).toBe(false);
      expect(await Promise.all(['evt-99', 'evt-x', 'x'].map((id) => store.ackEvent('ada', id)))).toEqual([
        false,
        false,
        false,
      ]);
    });

    test('sinceTask: from the creation of a task on; joining again changes nothing', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2'], ['task-3']]);
      for (const id of ['task-1', 'task-2', 'task-3'])
        await store.changeTask(change(id, { event: 'cancel', to: 'cancelled' }));
      await store.joinEvents('ada', 'task-3', NOW);
      await store.joinEvents('bob', null, NOW);
      await store.joinEvents('bob', 'task-1', NOW);
      const all = ['cancel task-1', 'cancel task-2', 'cancel task-3'];
      expect(kinds(store.agentEvents({ consumer: 'ada' }))).toEqual(all);
      expect(store.agentEvents({ consumer: 'bob' })).toEqual([]);
    });

    test('events come in their order, at most 100, of the agent and conversation that were asked for', async () => {
      const store = await freshStore(implementation);
      const tasks = Array.from({ length: 102 }, (_, index) => `task-${String(index).padStart(3, '0')}`);
      const made = tasks.map(
        (id) => [id, { task: { agent: id === 'task-101' ? 'brain' : 'planning' } }] as const,
      );
      await withTasks(
        store,
        'dlv-1',
        made.toReversed().map(([id, more]) => [id, more]),
      );
      await withTasks(store, 'dlv-2', [['task-x', { startNewConversation: true }]]);
      await store.joinEvents('ada', null, NOW);
      const all = store.agentEvents({ consumer: 'ada' });
      expect(all.map(({ taskId }) => taskId)).toEqual(tasks.toReversed().slice(0, 100));
      const only = (filter: object) => kinds(store.agentEvents({ consumer: 'ada', ...filter }));
      expect(only({ agent: 'brain' })).toEqual(['task task-101']);
      expect(only({ conversationId: 'conv-task-x' })).toEqual(['task task-x']);
      expect(only({ conversationId: 'conv-task-x', agent: 'brain' })).toEqual([]);
    });

    test('newestTransition grows with every step of any task, and with nothing else', async () => {
      const store = await freshStore(implementation);
      const seen = [store.newestTransition()];
      const note = async (step: () => Promise<unknown>) => {
        await step();
        seen.push(store.newestTransition());
      };
      await note(() => withTasks(store, 'dlv-1', [['task-1']]));
      await note(() => store.changeTask(start('task-1')));
      await note(() => store.noteTask({ ...change('task-1'), event: 'delete' }));
      expect(new Set(seen).size).toBe(4);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      const last = store.newestTransition();
      await store.changeTask(change('task-1', { from: 'failed', spent: NOTHING_SPENT }));
      await store.accept(newDelivery('dlv-2'));
      expect(store.newestTransition()).toBe(last);
    });
  });
}
