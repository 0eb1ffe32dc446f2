import { describe, expect, test } from 'vitest';
import type { OutgoingNote, Store } from '../../../src/store/store.ts';
import type { NewOutgoing } from '../../../src/types.ts';
import { NOW, newDelivery, outcome } from '../../store/records.ts';
import { comment, everything, freshStore, idsOf, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const SENT: OutgoingNote = {
  ...{ status: 'sent', reason: null, uncertain: false, nextAttemptAt: NOW + 5 },
  ...{ remoteId: 'remote-1', settledAt: NOW + 20 },
};
const FAILED: OutgoingNote = { ...SENT, status: 'failed', reason: 'refused', remoteId: null };

async function withItems(store: Store, deliveryId: string, items: readonly NewOutgoing[]): Promise<void> {
  await store.accept(newDelivery(deliveryId, { dedupeKeys: [] }));
  await store.recordOutcome(outcome(deliveryId, { outgoing: items }));
}

export function outboxContract(implementation: Implementation): void {
  describe('outbox', () => {
    test('a try is counted before it is made, and is uncertain until its result is noted', async () => {
      const store = await freshStore(implementation);
      await withItems(store, 'dlv-1', [comment('out-1')]);
      await store.beginOutgoing('out-1');
      expect(store.outgoing('out-1')).toMatchObject({ status: 'waiting', attempts: 1, uncertain: true });
      const later = { ...FAILED, status: 'waiting', reason: '503', nextAttemptAt: NOW + 900 } as const;
      await store.noteOutgoing('out-1', { ...later, settledAt: null });
      expect(store.outgoing('out-1')).toMatchObject({
        ...{ status: 'waiting', attempts: 1, uncertain: false, reason: '503', nextAttemptAt: NOW + 900 },
      });
      await store.beginOutgoing('out-1');
      await store.noteOutgoing('out-1', SENT);
      expect(store.outgoing('out-1')).toMatchObject({ ...SENT, attempts: 2 });
      expect([store.outgoing('out-none'), store.countsByOutgoingStatus()]).toEqual([null, { sent: 1 }]);
    });

    test('what no longer waits is neither tried nor noted', async () => {
      const store = await freshStore(implementation);
      await withItems(store, 'dlv-1', [comment('out-1'), comment('out-2'), comment('out-3')]);
      await store.noteOutgoing('out-1', SENT);
      await store.noteOutgoing('out-2', FAILED);
      await store.dropOutgoing('out-3', NOW + 30);
      const before = everything(store);
      for (const id of ['out-1', 'out-2', 'out-3', 'out-none']) {
        await store.beginOutgoing(id);
        await store.noteOutgoing(id, { ...SENT, remoteId: 'remote-2' });
      }
      expect(everything(store)).toEqual(before);
    });

    test('failed and dropped items are made to wait again, waiting and failed ones are dropped, no others', async () => {
      const store = await freshStore(implementation);
      const ids = ['out-sent', 'out-failed', 'out-dropped', 'out-waits', 'out-none'];
      await withItems(
        store,
        'dlv-1',
        ids.slice(0, 4).map((id) => comment(id)),
      );
      const reset = async () => {
        await store.beginOutgoing('out-failed');
        await store.noteOutgoing('out-failed', FAILED);
        await store.dropOutgoing('out-dropped', NOW + 30);
      };
      await store.noteOutgoing('out-sent', SENT);
      await reset();
      expect(store.outgoing('out-dropped')).toMatchObject({ status: 'dropped', settledAt: NOW + 30 });
      expect(await Promise.all(ids.map((id) => store.retryOutgoing(id, NOW + 50)))).toEqual([
        ...[false, true, true],
        ...[false, false],
      ]);
      expect(store.outgoing('out-failed')).toMatchObject({
        ...{ status: 'waiting', attempts: 0, nextAttemptAt: NOW + 50, settledAt: null },
      });
      await reset();
      expect(await Promise.all(ids.map((id) => store.dropOutgoing(id, NOW + 60)))).toEqual([
        ...[false, true, false],
        ...[true, false],
      ]);
      expect(store.countsByOutgoingStatus()).toEqual({ sent: 1, dropped: 3 });
    });

    test('items wait in the order in which they are due, also those that are due later', async () => {
      const store = await freshStore(implementation);
      await withItems(store, 'dlv-1', [
        comment('out-3'),
        comment('out-1'),
        comment('out-2'),
        comment('out-4'),
      ]);
      const wait = (id: string, nextAttemptAt: number) =>
        store.noteOutgoing(id, { ...FAILED, status: 'waiting', nextAttemptAt, settledAt: null });
      await wait('out-1', NOW + 1_000_000);
      await wait('out-4', NOW - 10);
      expect(idsOf(store.waitingOutgoing(10))).toEqual(['out-4', 'out-2', 'out-3', 'out-1']);
      await store.noteOutgoing('out-2', SENT);
      expect(idsOf(store.waitingOutgoing(2))).toEqual(['out-4', 'out-3']);
    });

    test('responsesBefore: uses of a delivery’s reply channel by earlier items, sent or not', async () => {
      const store = await freshStore(implementation);
      await withItems(store, 'dlv-1', [
        comment('out-1', { kind: 'respond' }),
        comment('out-2', { kind: 'ephemeral' }),
        comment('out-3'),
        comment('out-4', { kind: 'respond' }),
      ]);
      await withItems(store, 'dlv-2', [comment('out-0', { kind: 'respond' })]);
      const before = (id: string) => store.responsesBefore({ id, deliveryId: 'dlv-1' });
      expect(['out-1', 'out-2', 'out-3', 'out-4'].map(before)).toEqual([0, 1, 2, 2]);
      for (let time = 0; time < 3; time += 1) await store.beginOutgoing('out-1');
      await store.noteOutgoing('out-1', SENT);
      expect(['out-1', 'out-2', 'out-4'].map(before)).toEqual([0, 3, 4]);
    });

    test('addPost: a post without a delivery is found by its task, is edited, and goes with the task', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const slack = { provider: 'slack', owner: 'operator' };
      const buttons = { buttonsOf: 'task-1', buttonsAt: 'waiting_approval' } as const;
      expect(await store.addPost(comment('out-1', buttons), slack, NOW)).toBe(true);
      expect(await store.addPost(comment('out-2', { edits: 'out-9' }), slack, NOW)).toBe(false);
      const edit = { ...buttons, edits: 'out-1', buttonsAt: 'queued' } as const;
      expect(await store.addPost(comment('out-3', edit), { provider: 'other', owner: 'ada' }, NOW + 1)).toBe(
        true,
      );
      expect(store.postsWithButtons('task-1')).toMatchObject([
        { id: 'out-1', provider: 'slack', deliveryId: null, buttonsAt: 'waiting_approval' },
        { id: 'out-3', provider: 'slack', deliveryId: null, edits: 'out-1', buttonsAt: 'queued' },
      ]);
      const isStale = store.task('task-1')?.status === 'queued' ? [] : ['task-1'];
      expect(store.staleButtons(10)).toEqual(isStale);
    });

    test('addComment: queues a comment of a delivery that is stored, once', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1', { provider: 'jira' }));
      expect(await store.addComment(comment('out-1'), 'dlv-1', NOW + 7)).toBe(true);
      expect(await store.addComment(comment('out-1', { content: 'other' }), 'dlv-1', NOW + 8)).toBe(true);
      expect(await store.addComment(comment('out-2'), 'dlv-none', NOW + 7)).toBe(false);
      expect(store.outbox()).toMatchObject([
        { id: 'out-1', provider: 'jira', deliveryId: 'dlv-1', createdAt: NOW + 7, content: 'text of out-1' },
      ]);
    });
  });
}
