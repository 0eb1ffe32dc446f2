import { describe, expect, test } from 'vitest';
import type { Effect, Store } from '../../../src/store/store.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { change, comment, creation, everything, freshStore, idsOf, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const PLACE = { host: 'github.com', owner: 'octo', repo: 'repo', number: '1' };
const MOVED = { host: 'github.com', owner: 'octo', repo: 'other', number: '9' };

/** One task for each step that a delivery can ask for, and the delivery `dlv-1` that asks for them. */
async function steerable(store: Store): Promise<void> {
  const metadata = { source: 'github', reply: { place: PLACE }, comment_outgoing_id: 'out-old' };
  await withTasks(store, 'dlv-0', [
    ['task-asks', { task: { status: 'waiting_answer', sourceMetadata: metadata } }],
    ['task-held', { task: { status: 'waiting_approval' } }],
    ['task-open'],
    ['task-more'],
  ]);
  await store.accept(newDelivery('dlv-1', { trust: 'unverified' }));
}

const EFFECTS: { readonly [Kind in Effect['kind']]: Effect & { readonly kind: Kind } } = {
  task: { kind: 'task', ...taskInFlow('task-new', { flowId: 'flow-2', externalId: 'github:octo/repo#2' }) },
  post: { kind: 'post', item: comment('out-1') },
  answer: { kind: 'answer', taskId: 'task-asks', prompt: '\n\nthe answer' },
  approve: { kind: 'approve', taskId: 'task-held' },
  stop: { kind: 'stop', change: change('task-open', { event: 'cancel', to: 'cancelled', actor: 'octocat' }) },
  alias: { kind: 'alias', alias: { alias: 'github:4711', flowId: 'flow-1', stable: true } },
  join: {
    kind: 'join',
    join: {
      flows: [
        { flowId: 'flow-1', externalId: 'github:octo/repo#1', newConversationId: 'conv-7' },
        { flowId: 'flow-9', externalId: 'github:octo/repo#9', newConversationId: 'conv-8' },
      ],
      reason: 'closes #1',
      actor: 'github:octocat',
      isAsked: false,
      owner: 'operator',
    },
  },
  move: {
    kind: 'move',
    to: { flowIds: ['flow-1'], externalIds: ['github:octo/repo#1'], place: { repo: 'other', number: '9' } },
  },
  claim: { kind: 'claim', key: '@act:octocat:7' },
  repair: {
    kind: 'repair',
    note: {
      id: 'dlv-1/0',
      subject: 'github:github.com/repository/7#57',
      sha: 'a'.repeat(40),
      source: 'check ci of circleci',
      kind: 'repair',
      reason: 'failure',
      fingerprint: 'f00',
      taskId: 'task-new',
      at: NOW,
    },
  },
  ran: { kind: 'ran' },
};

/** Effects that cannot be stored. */
const IMPOSSIBLE: readonly (readonly [string, Effect])[] = [
  [
    'a conversation whose id is taken',
    { kind: 'task', ...taskInFlow('task-x', { flowId: 'flow-x', newConversationId: 'conv-task-asks' }) },
  ],
  ['a time that is no whole number', { kind: 'stop', change: change('task-more', { at: 1.5 }) }],
];

export function outcomesContract(implementation: Implementation): void {
  describe('recordOutcome', () => {
    test('stores decisions and tasks together, and returns the tasks as stored', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1'));
      const decisions = [
        {
          ...{ event: 0, eventType: 'issues.opened', command: 'analyze', fired: true },
          ...{ reason: 'named', taskIds: ['task-1'], error: null },
        },
      ];
      const [task] = await store.recordOutcome(
        outcome('dlv-1', { decisions, tasks: [taskInFlow('task-1')] }),
      );

      expect(task).toEqual({
        id: 'task-1',
        owner: 'operator',
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
      expect(store.transitions('task-1')).toEqual([
        {
          ...{ event: 'create', from: null, to: 'queued', actor: 'github:octocat' },
          ...{ reason: null, at: NOW + 5 },
        },
      ]);
    });

    test('each kind of effect is done with the others', async () => {
      const store = await freshStore(implementation);
      await steerable(store);
      const tasks = await store.recordOutcome(outcome('dlv-1', { effects: Object.values(EFFECTS) }));

      expect(tasks.map(({ id, status }) => [id, status]).toSorted()).toEqual([
        ['task-asks', 'queued'],
        ['task-held', 'queued'],
        ['task-new', 'queued'],
        ['task-open', 'cancelled'],
      ]);
      for (const task of tasks) expect(store.task(task.id)).toEqual(task);
      expect(store.task('task-asks')).toMatchObject({
        ...{ prompt: 'Analyze it\n\nthe answer', trust: 'unverified', updatedAt: NOW + 5 },
        sourceMetadata: { source: 'github', reply: { place: MOVED } },
      });
      expect(store.task('task-asks')?.sourceMetadata).not.toHaveProperty('comment_outgoing_id');
      expect(store.task('task-held')).toMatchObject({ prompt: 'Analyze it', trust: 'verified' });
      expect(store.task('task-open')).toMatchObject({ completedAt: NOW + 10 });
      expect(store.transitions('task-held').at(-1)).toMatchObject({
        ...{ event: 'approve', from: 'waiting_approval', to: 'queued', actor: 'github:octocat' },
      });
      expect(store.transitions('task-asks').at(-1)).toMatchObject({ event: 'answer', to: 'queued' });
      expect(store.outgoing('out-1')).toEqual({
        ...comment('out-1'),
        ...{
          owner: 'operator',
          provider: 'github',
          deliveryId: 'dlv-1',
          status: 'waiting',
          reason: null,
          attempts: 0,
        },
        ...{ uncertain: false, nextAttemptAt: NOW + 5, remoteId: null, createdAt: NOW + 5, settledAt: null },
        ...{ buttonsOf: null, buttonsAt: null },
      });
      expect(store.aliasesOf('flow-1')).toEqual([EFFECTS.alias.alias]);
      expect(store.holderOf('@act:octocat:7')).toBe('dlv-1');
      const again = newDelivery('dlv-2', { dedupeKeys: ['@act:octocat:7'] });
      expect((await store.accept(again)).duplicateOf).toBe('dlv-1');
    });

    test.each(
      IMPOSSIBLE.flatMap(([name, impossible]) => [
        [name, 'last', [...Object.values(EFFECTS), impossible]] as const,
        ...Object.values(EFFECTS).map(
          (effect) => [name, `after ${effect.kind}`, [effect, impossible]] as const,
        ),
      ]).filter(([, place], index) => place === 'last' || index % 2 === 0),
    )('of an outcome with %s, %s, nothing is stored', async (_, __, effects) => {
      const store = await freshStore(implementation);
      await steerable(store);
      const before = everything(store);
      await expect(store.recordOutcome(outcome('dlv-1', { effects }))).rejects.toMatchObject({
        code: 'store_write',
      });
      expect(everything(store)).toEqual(before);
      expect(store.holderOf('@act:octocat:7')).toBeNull();
      // It is still pending, and holds its keys.
      const again = newDelivery('dlv-2', { dedupeKeys: ['id:sender-dlv-1'] });
      expect((await store.accept(again)).duplicateOf).toBe('dlv-1');
      expect(idsOf(await store.recordOutcome(outcome('dlv-1', { effects: [EFFECTS.task] })))).toEqual([
        'task-new',
      ]);
    });

    test('a delivery is settled once: a second outcome, or one of an unknown delivery, changes nothing', async () => {
      const store = await freshStore(implementation);
      await steerable(store);
      await store.recordOutcome(outcome('dlv-1', { tasks: [taskInFlow('task-1')] }));
      const before = everything(store);
      const again = outcome('dlv-1', { status: 'failed', effects: Object.values(EFFECTS) });
      expect(await store.recordOutcome(again)).toEqual([]);
      expect(await store.recordOutcome({ ...again, deliveryId: 'dlv-none' })).toEqual([]);
      expect(everything(store)).toEqual(before);
      expect(store.holderOf('@act:octocat:7')).toBeNull();
      expect((await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:sender-dlv-1'] }))).status).toBe(
        'duplicate',
      );
    });

    test('a step that no longer fits its task is left out, the rest is done', async () => {
      const store = await freshStore(implementation);
      await steerable(store);
      await store.recordOutcome(outcome('dlv-1', { effects: Object.values(EFFECTS) }));
      await store.accept(newDelivery('dlv-2'));
      const before = store.tasks();
      const effects = [EFFECTS.answer, EFFECTS.approve, EFFECTS.stop, EFFECTS.post];
      expect(await store.recordOutcome(outcome('dlv-2', { effects }))).toEqual([]);
      expect([store.delivery('dlv-2')?.status, store.tasks()]).toEqual(['processed', before]);
    });

    test('a decision that came too late is recorded as not made, and what would say that it was is not posted', async () => {
      const store = await freshStore(implementation);
      await steerable(store);
      await store.recordOutcome(outcome('dlv-1', { effects: [EFFECTS.approve] }));
      await store.accept(newDelivery('dlv-2'));
      const decision = {
        event: 0,
        eventType: 'block_actions',
        command: 'approve',
        fired: true,
        reason: 'it is approved',
      };
      const said = comment('out-9', { buttonsOf: 'task-held', buttonsAt: 'queued' });
      await store.recordOutcome(
        outcome('dlv-2', {
          effects: [EFFECTS.approve, { kind: 'post', item: said }],
          decisions: [{ ...decision, taskIds: ['task-held'], error: null }],
        }),
      );
      expect(store.delivery('dlv-2')).toMatchObject({
        status: 'ignored',
        reason: 'somebody else decided in the same moment',
        decisions: [{ fired: false }],
      });
      expect(store.outgoing('out-9')).toBeNull();
    });

    test('a dispatch that is repeated with the same ids completes what is missing and doubles nothing', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a', '@act:octocat:7@github'] }));
      const [task] = await store.recordOutcome(
        outcome('dlv-1', {
          ...{ status: 'failed', tasks: [taskInFlow('task-1')], outgoing: [comment('out-1')] },
        }),
      );
      await store.beginOutgoing('out-1');
      const done = await store.changeTask(change('task-1'));
      expect(done).not.toEqual(task);
      const sent = store.outgoing('out-1');
      expect(await store.requeue('dlv-1')).toBe(true);

      const tasks = ['task-1', 'task-2'].map((id) => taskInFlow(id, { task: { title: 'again' } }));
      const outgoing = ['out-1', 'out-2'].map((id) => comment(id, { content: 'again' }));
      const stored = await store.recordOutcome(outcome('dlv-1', { tasks, outgoing }));
      expect(stored).toEqual([done, store.task('task-2')]);
      expect(store.task('task-1')).toEqual(done);
      expect(store.transitions('task-1').map(({ event }) => event)).toEqual(['create', 'complete']);
      expect(store.outgoing('out-1')).toEqual(sent);
      expect([idsOf(store.tasks()), idsOf(store.outbox())]).toEqual([
        ['task-2', 'task-1'],
        ['out-2', 'out-1'],
      ]);
      expect([store.count('flows'), store.count('conversations')]).toEqual([1, 1]);
      expect(store.task('task-2')).toMatchObject({ title: 'again', conversationId: 'conv-task-1' });
    });

    test('a delivery that failed after it made a task has acted: the same again is a duplicate', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
      await store.recordOutcome(outcome('dlv-1', { status: 'failed', tasks: [taskInFlow('task-1')] }));
      expect((await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).status).toBe('duplicate');
    });

    test('a dispatch can find that another delivery did it before', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1'));
      await store.accept(newDelivery('dlv-2'));
      await store.recordOutcome(outcome('dlv-2', { status: 'duplicate', duplicateOf: 'dlv-1' }));
      expect(store.delivery('dlv-2')).toMatchObject({ status: 'duplicate', duplicateOf: 'dlv-1' });
      expect(store.body('dlv-2')).not.toBeNull();
    });

    test('a key that is claimed stays with the delivery that claimed it first', async () => {
      const store = await freshStore(implementation);
      for (const id of ['dlv-1', 'dlv-2']) {
        await store.accept(newDelivery(id));
        await store.recordOutcome(outcome(id, { effects: [EFFECTS.claim] }));
      }
      expect(store.holderOf('@act:octocat:7')).toBe('dlv-1');
    });
  });

  describe('flows and conversations', () => {
    test('a later delivery joins the flow and its conversation until a new one is asked for', async () => {
      const store = await freshStore(implementation);
      const steps = [false, false, true, false].map((startNewConversation, index) =>
        taskInFlow(`task-${index}`, { startNewConversation }),
      );
      for (const [index, task] of steps.entries()) {
        await store.accept(newDelivery(`dlv-${index}`));
        await store.recordOutcome(outcome(`dlv-${index}`, { tasks: [task] }));
      }
      expect(store.tasks({ after: '' }).map((task) => task.conversationId)).toEqual([
        'conv-task-0',
        'conv-task-0',
        'conv-task-2',
        'conv-task-2',
      ]);
      expect(store.flows()).toEqual([
        {
          ...{
            id: 'flow-1',
            owner: 'operator',
            externalId: 'github:octo/repo#1',
            currentConversationId: 'conv-task-2',
          },
          createdAt: NOW + 5,
        },
      ]);
      expect(idsOf(store.conversations())).toEqual(['conv-task-2', 'conv-task-0']);
    });

    test('tasks of one outcome in one flow share a conversation, other flows have their own', async () => {
      const store = await freshStore(implementation);
      const tasks = await withTasks(store, 'dlv-1', [
        ['task-1'],
        ['task-2', { startNewConversation: true }],
        ['task-3', { flowId: 'flow-2', externalId: 'github:octo/repo#2' }],
      ]);
      expect(tasks.map((task) => task.conversationId)).toEqual(['conv-task-1', 'conv-task-1', 'conv-task-3']);
      expect([store.count('flows'), store.count('conversations')]).toEqual([2, 2]);
    });

    test('a flow is found by its names, and a name that is taken stays with its flow', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1'], ['task-2', { flowId: 'flow-2', externalId: 'x:2' }]]);
      await store.accept(newDelivery('dlv-2'));
      const alias = (name: string, flowId: string, stable: boolean): Effect => ({
        ...{ kind: 'alias', alias: { alias: name, flowId, stable } },
      });
      await store.recordOutcome(
        outcome('dlv-2', {
          effects: [
            alias('x:renamed', 'flow-1', false),
            alias('x:renamed', 'flow-2', true),
            alias('id:1', 'flow-1', true),
            alias('id:none', 'flow-none', true),
          ],
        }),
      );
      const first = { alias: 'x:renamed', flowId: 'flow-1', stable: false };
      const byName = (a: { alias: string }, b: { alias: string }) => (a.alias < b.alias ? -1 : 1);
      expect(store.aliases(['x:renamed', 'id:none', 'x:2'])).toEqual([first]);
      expect(store.aliasesOf('flow-1').toSorted(byName)).toEqual([
        { alias: 'id:1', flowId: 'flow-1', stable: true },
        first,
      ]);
      const named = (externalId: string) => idsOf(store.flows({ externalId }));
      expect(['x:renamed', 'github:octo/repo#1', 'x:2', 'id:none'].map(named)).toEqual([
        ['flow-1'],
        ['flow-1'],
        ['flow-2'],
        [],
      ]);
    });

    test('a move changes the place of the flow’s tasks alone, and the next post is new where the number is', async () => {
      const store = await freshStore(implementation);
      const sourceMetadata = { reply: { place: PLACE }, comment_outgoing_id: 'out-1' };
      await withTasks(store, 'dlv-1', [
        ['task-1', { task: { sourceMetadata } }],
        ['task-2', { flowId: 'flow-2', externalId: 'x:2', task: { sourceMetadata } }],
        ['task-3', { task: { sourceMetadata: { reply: null } } }],
      ]);
      await store.accept(newDelivery('dlv-2'));
      const effects: Effect[] = [
        {
          kind: 'move',
          to: {
            flowIds: ['flow-1'],
            externalIds: ['github:octo/repo#1'],
            place: { repo: 'r', number: '1' },
          },
        },
      ];
      await store.recordOutcome(outcome('dlv-2', { effects }));
      const metadata = ['task-1', 'task-2', 'task-3'].map((id) => store.task(id)?.sourceMetadata);
      expect(metadata).toEqual([
        { reply: { place: { ...PLACE, repo: 'r' } }, comment_outgoing_id: 'out-1' },
        sourceMetadata,
        { reply: null },
      ]);
    });

    test('a repeated dispatch makes its conversation once, and leaves a later one the current one', async () => {
      const store = await freshStore(implementation);
      for (const id of ['dlv-1', 'dlv-2']) await store.accept(newDelivery(id));
      const first = taskInFlow('task-1', { startNewConversation: true });
      const later = taskInFlow('task-2', { startNewConversation: true });
      await store.recordOutcome(outcome('dlv-1', { status: 'failed', tasks: [first] }));
      await store.recordOutcome(outcome('dlv-2', { tasks: [later] }));
      expect(await store.requeue('dlv-1')).toBe(true);
      const missing = taskInFlow('task-3', { newConversationId: 'conv-task-1', startNewConversation: true });
      await store.recordOutcome(outcome('dlv-1', { tasks: [first, missing] }));
      expect(store.flows().map((flow) => flow.currentConversationId)).toEqual(['conv-task-2']);
      expect(idsOf(store.tasks({ after: '' }))).toEqual(['task-1', 'task-2', 'task-3']);
    });

    test('totals of a conversation are those of its tasks, the average of those that said what they cost', async () => {
      const store = await freshStore(implementation);
      const costs = [0.5, null, 1.5, null, null];
      await withTasks(
        store,
        'dlv-1',
        costs.map((_, index) => [`task-${index}`]),
      );
      await store.createTask(creation('task-9', { flowId: 'flow-9', externalId: 'cli:9' }));
      const conversation = () => store.conversations({ flowId: 'flow-1' })[0];
      expect(conversation()).toMatchObject({
        ...{ id: 'conv-task-0', flowId: 'flow-1', createdAt: NOW + 5, byStatus: { queued: 5 } },
        ...{ averageCostUsd: null, startedAt: null, completedAt: null },
        usage: { costUsd: null, inputTokens: null, outputTokens: null, durationMs: null },
      });
      for (const [index, costUsd] of costs.entries()) {
        const at = NOW + 10 * (index + 1);
        const spent = { costUsd, inputTokens: costUsd === null ? null : 100, outputTokens: null };
        await store.changeTask(change(`task-${index}`, { event: 'start', to: 'running', isEnd: false, at }));
        if (index < 4)
          await store.changeTask(change(`task-${index}`, { from: 'running', spent, at: at + 3 }));
      }
      expect(conversation()).toMatchObject({
        ...{ byStatus: { completed: 4, running: 1 }, averageCostUsd: 1, completedAt: null },
        ...{
          startedAt: NOW + 10,
          usage: { costUsd: 2, inputTokens: 200, outputTokens: null, durationMs: 12 },
        },
      });
      await store.changeTask(change('task-4', { from: 'running', at: NOW + 60 }));
      expect(conversation()).toMatchObject({ completedAt: NOW + 60, usage: { durationMs: 22 } });
    });
  });
}
