import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createIds } from '../../../src/lib/ids.ts';
import type { NewDelivery, Store } from '../../../src/store/store.ts';
import type { KeptCode } from '../../../src/store/tasks.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { change, comment, creation, everything, freshStore, idsOf, runStart, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const DAY = 24 * 3_600_000;
const idAt = (at: number) => createIds(() => at).next('dlv');

/** A delivery that came at this time and was settled, unless it is to stay pending. */
async function came(store: Store, at: number, changes: Partial<NewDelivery> = {}, isPending = false) {
  const id = idAt(at);
  await store.accept(newDelivery(id, { receivedAt: at, dedupeKeys: [`id:${id}`], ...changes }));
  if (!isPending) await store.recordOutcome(outcome(id, { settledAt: at }));
  return id;
}

export function retentionContract(implementation: Implementation): void {
  test('answer times are added up by the minute, and go after 31 days', async () => {
    const store = await freshStore(implementation);
    await store.noteAnswers({ at: NOW, counts: { '5': 1 } });
    await store.noteAnswers({ at: NOW, counts: { '5': 2, '50': 1 } });
    await store.noteAnswers({ at: NOW + 31 * DAY, counts: { '5': 1 } });
    expect(store.answerTimes(0)).toEqual([
      { at: NOW, counts: { '5': 3, '50': 1 } },
      { at: NOW + 31 * DAY, counts: { '5': 1 } },
    ]);
    expect(store.answerTimes(NOW + 1)).toHaveLength(1);
    await store.noteAnswers({ at: NOW + 31 * DAY + 60_000, counts: { '5': 1 } });
    expect(store.answerTimes(0).map(({ at }) => at)).toEqual([NOW + 31 * DAY, NOW + 31 * DAY + 60_000]);
  });

  describe('retention of bodies', () => {
    test('bodies of settled deliveries go, what is pending or has something to send stays, rows tell', async () => {
      const store = await freshStore(implementation);
      for (const id of ['dlv-1', 'dlv-2', 'dlv-3']) await store.accept(newDelivery(id));
      await store.recordOutcome(outcome('dlv-1', { outgoing: [comment('out-0')] }));
      await store.dropOutgoing('out-0', NOW);
      await store.recordOutcome(outcome('dlv-2', { outgoing: [comment('out-1')] }));
      expect(store.countPrunable({ before: null })).toEqual({ count: 1, bytes: 14 });
      expect(store.prunable({ before: null }, 10)).toEqual([{ id: 'dlv-1', size: 14 }]);
      expect(await store.removeBodies(['dlv-1', 'dlv-3', 'dlv-none'], NOW)).toBe(1);
      expect(await store.removeBodies(['dlv-1'], NOW + 1)).toBe(0);
      expect(store.body('dlv-1')).toBeNull();
      expect(store.delivery('dlv-1')).toMatchObject({ status: 'processed', bodyRemovedAt: NOW, size: 14 });
      expect([store.body('dlv-2'), store.body('dlv-3')]).not.toContain(null);
      // Of its outbox, what is settled goes, too.
      expect(idsOf(store.outbox())).toEqual(['out-1']);
      const again = newDelivery('dlv-4', { dedupeKeys: ['id:sender-dlv-1'] });
      expect((await store.accept(again)).duplicateOf).toBe('dlv-1');
    });

    test('a delivery without a body is not requeued', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1'));
      await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));
      await store.removeBodies(['dlv-1'], NOW);
      expect(await store.requeue('dlv-1')).toBe(false);
      expect(store.delivery('dlv-1')?.status).toBe('failed');
      // Its keys are as free as they were.
      const again = newDelivery('dlv-2', { dedupeKeys: ['id:sender-dlv-1'] });
      expect((await store.accept(again)).status).toBe('pending');
    });

    test('by age, the oldest first, and of samples alone', async () => {
      const store = await freshStore(implementation);
      const first = await came(store, NOW - 2 * DAY);
      const sample = await came(store, NOW - DAY, { isSample: true });
      await came(store, NOW - DAY + 1, {}, true);
      const young = await came(store, NOW);
      expect(idsOf(store.prunable({ before: null }, 10))).toEqual([first, sample, young]);
      expect(idsOf(store.prunable({ before: null }, 2))).toEqual([first, sample]);
      expect(idsOf(store.prunable({ before: NOW }, 10))).toEqual([first, sample]);
      expect(idsOf(store.prunable({ before: NOW - DAY }, 10))).toEqual([first]);
      expect(idsOf(store.prunable({ before: null, samples: true }, 10))).toEqual([sample]);
      expect(store.countPrunable({ before: NOW - 2 * DAY, samples: true })).toEqual({ count: 0, bytes: 0 });
    });

    test('what is swept leaves the disk, what is needed stays readable', async () => {
      const store = await freshStore(implementation);
      const body = randomBytes(100_000);
      await store.accept(newDelivery('dlv-1', { body }));
      await store.recordOutcome(outcome('dlv-1'));
      expect(store.logBytes()).toBeGreaterThan(100_000);
      expect(await store.sweepLog()).toEqual({ segments: 0, bytes: 0 });
      await store.removeBodies(['dlv-1'], NOW);
      const before = store.logBytes();
      const { segments, bytes } = await store.sweepLog();
      expect([segments >= 1, bytes >= 100_000]).toEqual([true, true]);
      expect(before - store.logBytes()).toBe(bytes);
      await store.accept(newDelivery('dlv-2'));
      expect(await store.sweepLog()).toEqual({ segments: 0, bytes: 0 });
      expect(Buffer.from(store.body('dlv-2') ?? []).toString()).toBe('{"id":"dlv-2"}');
    });

    test('receivedAtRank: when the newest but so many came', async () => {
      const store = await freshStore(implementation);
      for (const age of [3, 2, 1]) await came(store, NOW - age);
      expect([0, 1, 2, 3].map((rank) => store.receivedAtRank(rank))).toEqual([
        NOW - 1,
        NOW - 2,
        NOW - 3,
        null,
      ]);
    });
  });

  describe('forgetDeliveries', () => {
    test('rows without bodies that came before go with their keys and their outbox, the oldest first', async () => {
      const store = await freshStore(implementation);
      const old = await came(store, NOW - 5, { dedupeKeys: ['id:old'] });
      const second = await came(store, NOW - 4);
      const kept = await came(store, NOW - 3);
      const young = await came(store, NOW);
      await store.addComment(comment('out-1'), old, NOW);
      await store.removeBodies([old, second, young], NOW);
      expect(await store.forgetDeliveries(NOW, 1)).toBe(1);
      expect(idsOf(store.deliveries({ after: '' }))).toEqual([second, kept, young]);
      expect(store.outgoing('out-1')).toBeNull();
      expect(await store.forgetDeliveries(NOW, 10)).toBe(1);
      expect(await store.forgetDeliveries(NOW, 10)).toBe(0);
      expect(idsOf(store.deliveries({ after: '' }))).toEqual([kept, young]);
      expect((await store.accept(newDelivery('dlv-zz', { dedupeKeys: ['id:old'] }))).status).toBe('pending');
    });

    test('a duplicate stays as long as the delivery that it repeats', async () => {
      const store = await freshStore(implementation);
      const first = await came(store, NOW - 5, { dedupeKeys: ['id:a'] });
      const duplicate = idAt(NOW - 4);
      await store.accept(newDelivery(duplicate, { dedupeKeys: ['id:a'] }));
      expect(await store.forgetDeliveries(NOW, 10)).toBe(0);
      await store.removeBodies([first], NOW);
      await store.forgetDeliveries(NOW, 10);
      await store.forgetDeliveries(NOW, 10);
      expect(store.deliveries()).toEqual([]);
    });

    test('a task outlives the delivery that made it', async () => {
      const store = await freshStore(implementation);
      const id = idAt(NOW - 5);
      const [task] = await withTasks(store, id, [['task-1']]);
      await store.removeBodies([id], NOW);
      expect(await store.forgetDeliveries(NOW, 10)).toBe(1);
      expect(store.task('task-1')).toEqual(task);
      const reply = { deliveryId: id, item: comment('out-1'), becomesTaskComment: false };
      expect((await store.changeTask(change('task-1', { reply })))?.status).toBe('completed');
    });
  });

  describe('prunableTrees and pruneTrees', () => {
    const OLD = { before: NOW + 50, samples: false };

    /** A tree of its own: a root that is over, made by a delivery in a flow, both of this name. */
    async function treeOf(store: Store, name: string, changes: Partial<NewDelivery> = {}, at = NOW + 10) {
      const place = { flowId: `flow-${name}`, externalId: `x:${name}` };
      const [task = null] = await withTasks(store, `dlv-${name}`, [[`task-${name}`, place]], changes);
      await store.changeTask(change(`task-${name}`, { at }));
      return { task, place };
    }

    const CASES: readonly (readonly [KeptCode | null, (store: Store) => Promise<unknown>])[] = [
      [null, (store) => treeOf(store, 'x')],
      [
        'open',
        async (store) => {
          const { task, place } = await treeOf(store, 'x');
          await store.createTask(creation('task-y', { ...place, parent: task }));
        },
      ],
      [
        'later',
        async (store) => {
          const { task, place } = await treeOf(store, 'x');
          await store.createTask(creation('task-y', { ...place, parent: task }));
          await store.changeTask(change('task-y', { at: NOW + 50 }));
        },
      ],
      [
        'running',
        async (store) => {
          const [task = null] = await withTasks(store, 'dlv-x', [['task-x', { flowId: 'flow-x' }]]);
          await store.startRun(runStart('run-1', task));
          await store.changeTask(change('task-x', { from: 'running' }));
        },
      ],
      [
        'unsent',
        async (store) => {
          await treeOf(store, 'x');
          await store.addComment(comment('out-1'), 'dlv-x', NOW);
        },
      ],
      [
        'needed',
        async (store) => {
          await treeOf(store, 'x');
          await store.createTask(creation('task-9', { dependsOn: ['task-x'] }));
        },
      ],
    ];

    test.each(CASES)('kept: %s', async (kept, make) => {
      const store = await freshStore(implementation);
      await make(store);
      const [tree, ...others] = store.prunableTrees(OLD, '', 10);
      expect(others).toEqual([]);
      expect(tree).toEqual({
        ...{ id: 'task-x', flowId: 'flow-x', deliveryId: 'dlv-x', kept },
        tasks: 1,
      });
      const before = everything(store);
      // Whether it may go is looked at again when it goes.
      const trees = store.prunableTrees(OLD, '', 10).map((each) => ({ ...each, kept: null }));
      expect(await store.pruneTrees(trees, OLD, NOW + 60)).toEqual(kept === null ? ['task-x'] : []);
      if (kept !== null) expect(everything(store)).toEqual(before);
      else expect([store.task('task-x'), store.flows(), store.transitions('task-x')]).toEqual([null, [], []]);
    });

    test('trees are chosen by when a task ended, page by page', async () => {
      const store = await freshStore(implementation);
      for (const name of ['a', 'b', 'c']) await treeOf(store, name);
      await treeOf(store, 'late', {}, NOW + 50);
      await withTasks(store, 'dlv-open', [['task-open', { flowId: 'flow-open', externalId: 'x:open' }]]);
      expect(idsOf(store.prunableTrees(OLD, '', 10))).toEqual(['task-a', 'task-b', 'task-c']);
      expect(idsOf(store.prunableTrees(OLD, 'task-a', 1))).toEqual(['task-b']);
      expect(store.prunableTrees(OLD, 'task-c', 10)).toEqual([]);
    });

    test('samples: chosen by when they were made, also those that are open; what people made is not', async () => {
      const store = await freshStore(implementation);
      const samples = { before: NOW + 6, samples: true };
      await treeOf(store, 'person');
      await treeOf(store, 'done', { isSample: true }, NOW + 900);
      const place = { flowId: 'flow-s', externalId: 'x:s' };
      await withTasks(store, 'dlv-s', [['task-s', place]], { isSample: true });
      expect(store.prunableTrees(samples, '', 10)).toMatchObject([
        { id: 'task-done', tasks: 1, kept: null },
        { id: 'task-s', tasks: 1, kept: 'open' },
      ]);
      expect(store.prunableTrees({ ...samples, before: NOW + 5 }, '', 10)).toEqual([]);
      const trees = store.prunableTrees(samples, '', 10);
      expect(await store.pruneTrees(trees, samples, NOW + 1_000)).toEqual(['task-done']);
    });

    test('what only a removed tree used goes with it; the flow of another task stays, with its current conversation', async () => {
      const store = await freshStore(implementation);
      const { task, place } = await treeOf(store, 'x');
      await store.createTask(creation('task-xx', { ...place, parent: task }));
      await store.changeTask(change('task-xx'));
      await store.addComment(comment('out-1'), 'dlv-x', NOW);
      await store.dropOutgoing('out-1', NOW);
      await store.accept(newDelivery('dlv-1'));
      const alias = { alias: 'id:1', flowId: 'flow-x', stable: true };
      await store.recordOutcome(
        outcome('dlv-1', {
          effects: [
            { kind: 'alias', alias },
            { kind: 'task', ...taskInFlow('task-1', { flowId: 'flow-kept', externalId: 'x:kept' }) },
          ],
        }),
      );
      await store.changeTask(change('task-1'));
      const later = { flowId: 'flow-kept', externalId: 'x:kept', startNewConversation: true };
      await withTasks(store, 'dlv-2', [['task-2', later]]);
      const trees = store.prunableTrees(OLD, '', 10);
      expect(trees.map(({ id, tasks }) => [id, tasks])).toEqual([
        ['task-1', 1],
        ['task-x', 2],
      ]);
      expect((await store.pruneTrees(trees, OLD, NOW + 60)).toSorted()).toEqual([
        ...['task-1', 'task-x'],
        'task-xx',
      ]);
      expect([idsOf(store.tasks()), idsOf(store.flows()), store.aliases(['id:1'])]).toEqual([
        ['task-2'],
        ['flow-kept'],
        [],
      ]);
      expect([idsOf(store.conversations()), store.outbox()]).toEqual([['conv-task-2'], []]);
      expect(store.delivery('dlv-x')?.status).toBe('processed');
      // An id of a removed flow can be given again.
      expect(idsOf(await withTasks(store, 'dlv-3', [['task-x', place]]))).toEqual(['task-x']);
    });
  });
}
