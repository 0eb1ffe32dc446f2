import { describe, expect, test } from 'vitest';
import type { NewRejection, Store } from '../../../src/store/store.ts';
import { NO_WEBHOOK } from '../../../src/types.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { freshStore, idsOf, newHome, openHome } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

export function acceptContract(implementation: Implementation): void {
  describe('accept', () => {
    test('a delivery is read back as it came, byte for byte', async () => {
      const store = await freshStore(implementation);
      const body = Buffer.concat([Buffer.from([0, 255, 13, 10]), Buffer.from('{"é":1}')]);
      const accepted = await store.accept(newDelivery('dlv-1', { body, query: 'a=%20b', replies: false }));

      expect(accepted).toEqual({ status: 'pending', duplicateOf: null });
      expect(Buffer.from(store.body('dlv-1') ?? [])).toEqual(body);
      expect(store.delivery('dlv-1')).toEqual({
        id: 'dlv-1',
        owner: 'operator',
        webhook: 'github',
        webhookId: null,
        provider: 'github',
        status: 'pending',
        trust: 'verified',
        reason: null,
        senderDeliveryId: 'sender-dlv-1',
        eventType: 'issue_comment.created',
        externalId: 'github:octo/repo#1',
        senderName: 'octocat',
        headers: { 'x-github-event': 'issue_comment' },
        query: 'a=%20b',
        size: body.byteLength,
        receivedAt: NOW,
        settledAt: null,
        duplicateOf: null,
        replayOf: null,
        replies: false,
        attempts: 0,
        nextAttemptAt: null,
        decisions: [],
        bodyRemovedAt: null,
        variant: null,
        isSample: false,
      });
      expect([store.delivery('dlv-none'), store.body('dlv-none')]).toEqual([null, null]);
    });

    test('the bytes that were handed in stay whole, also as a view into a larger buffer', async () => {
      const store = await freshStore(implementation);
      const large = Buffer.alloc(1_000_000, 'x');
      const view = large.subarray(10, 20);
      await store.accept(newDelivery('dlv-1', { body: view }));
      expect([large.byteLength, view.toString(), store.body('dlv-1')?.byteLength]).toEqual([
        1_000_000,
        'xxxxxxxxxx',
        10,
      ]);
    });

    test('indexed: resolves when all that was accepted before can be read', async () => {
      const store = await openHome(newHome(implementation));
      const ids = Array.from({ length: 200 }, (_, index) => `dlv-${String(index).padStart(3, '0')}`);
      await Promise.all(ids.map((id) => store.accept(newDelivery(id))));
      await store.indexed();
      expect(idsOf(store.deliveries({ after: '', limit: 300 }))).toEqual(ids);
      await store.indexed();
    });

    test('an operation that is called once accept resolved finds the delivery, readable or not', async () => {
      const store = await openHome(newHome(implementation));
      const ids = ['dlv-1', 'dlv-2', 'dlv-3', 'dlv-4'];
      for (const id of ids) await store.accept(newDelivery(id));
      const [, tasks] = await Promise.all([
        store.postpone('dlv-1', 'no answer', NOW + 100),
        store.recordOutcome(outcome('dlv-2', { tasks: [taskInFlow('task-1')] })),
        store.recordOutcome(outcome('dlv-3', { status: 'failed' })).then(() => store.requeue('dlv-3')),
        store.recordOutcome(outcome('dlv-4', { status: 'ignored' })),
      ]);
      expect(idsOf(tasks)).toEqual(['task-1']);
      expect(ids.map((id) => store.delivery(id)?.status)).toEqual([
        'pending',
        'processed',
        'pending',
        'ignored',
      ]);
      expect(store.delivery('dlv-1')).toMatchObject({ attempts: 1, reason: 'no answer' });
    });

    test('an unparsed delivery is stored whole, claims nothing and is never queued', async () => {
      const store = await freshStore(implementation);
      const unparsed = { status: 'unparsed', reason: 'not JSON', dedupeKeys: ['id:a'] } as const;
      expect(await store.accept(newDelivery('dlv-1', unparsed))).toEqual({
        status: 'unparsed',
        duplicateOf: null,
      });
      expect(store.body('dlv-1')).not.toBeNull();
      expect(store.pending(null, 10)).toEqual([]);
      expect(await store.requeue('dlv-1')).toBe(false);
      expect((await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).status).toBe('pending');
    });

    test('one that is ignored at accept is settled with its decisions, and a requeue queues it', async () => {
      const store = await freshStore(implementation);
      const decisions = [
        {
          ...{ event: 0, eventType: 'push', command: 'analyze', fired: false },
          ...{ reason: 'another type', taskIds: [], error: null },
        },
      ];
      const ignored = { status: 'ignored', reason: 'no command', settledAt: NOW + 1, decisions } as const;
      expect(await store.accept(newDelivery('dlv-1', ignored))).toEqual({
        status: 'ignored',
        duplicateOf: null,
      });
      expect(store.delivery('dlv-1')).toMatchObject({ ...ignored, attempts: 0 });
      expect([store.pending(null, 10), store.body('dlv-1')?.byteLength]).toEqual([[], 14]);
      expect(await store.recordOutcome(outcome('dlv-1'))).toEqual([]);
      expect(await store.requeue('dlv-1')).toBe(true);
      expect(store.delivery('dlv-1')).toMatchObject({ status: 'pending', reason: null, decisions: [] });
      expect(idsOf(store.pending(null, 10))).toEqual(['dlv-1']);
    });

    test('a replay is no duplicate of what it replays', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1'));
      const replay = { replayOf: 'dlv-1', dedupeKeys: [], replies: false, isSample: true };
      expect((await store.accept(newDelivery('dlv-2', replay))).status).toBe('pending');
      expect(store.delivery('dlv-2')).toMatchObject({ replayOf: 'dlv-1', replies: false, isSample: true });
    });

    test('a delivery is postponed and requeued only in the states that allow it', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
      expect(await store.requeue('dlv-1')).toBe(false);
      await store.postpone('dlv-1', 'no answer', NOW + 100);
      await store.postpone('dlv-1', 'no answer', NOW + 200);
      expect(store.pending(null, 10)).toEqual([
        { id: 'dlv-1', externalId: 'github:octo/repo#1', attempts: 2, nextAttemptAt: NOW + 200 },
      ]);
      await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));
      await store.postpone('dlv-1', 'late', NOW + 300);
      expect(store.delivery('dlv-1')).toMatchObject({ attempts: 2, reason: 'one task', nextAttemptAt: null });

      expect(await store.requeue('dlv-1')).toBe(true);
      expect(store.delivery('dlv-1')).toMatchObject({ status: 'pending', attempts: 0, settledAt: null });
      await store.recordOutcome(outcome('dlv-1'));
      expect([await store.requeue('dlv-1'), await store.requeue('dlv-none')]).toEqual([false, false]);
    });

    test('the newest 1,000 rejections are kept, 200 of requests to no webhook, other rows are untouched', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-0000'));
      const ids = Array.from({ length: 1_003 }, (_, index) => `dlv-${String(index + 1).padStart(4, '0')}`);
      await Promise.all(ids.map((id) => store.reject(rejection(id))));
      const unrouted = Array.from({ length: 203 }, (_, index) => `dlv-x${String(index).padStart(3, '0')}`);
      await Promise.all(unrouted.map((id) => store.reject(rejection(id, { webhook: NO_WEBHOOK }))));

      const kept = (webhook: string) => {
        const rows = store.deliveries({ status: 'rejected', webhook, limit: 2_000 });
        return [rows.length, rows[0]?.id, rows.at(-1)?.id];
      };
      expect(kept('github')).toEqual([1_000, 'dlv-1003', 'dlv-0004']);
      expect(kept(NO_WEBHOOK)).toEqual([200, 'dlv-x202', 'dlv-x003']);
      expect(store.delivery('dlv-1003')).toMatchObject({
        ...{ reason: 'signature_wrong', size: 7, trust: null, headers: {}, eventType: 'push' },
        ...{ senderDeliveryId: 'sender-1', webhookId: 'whk-1', receivedAt: NOW, settledAt: null },
      });
      expect([store.body('dlv-1003'), store.delivery('dlv-0000')?.status]).toEqual([null, 'pending']);
    });
  });

  describe('dedupe', () => {
    const keyed = async (store: Store, id: string, ...dedupeKeys: readonly string[]) =>
      (await store.accept(newDelivery(id, { dedupeKeys }))).duplicateOf;

    test('five equal deliveries at once: one is pending, four are duplicates without bytes', async () => {
      const store = await freshStore(implementation);
      const ids = ['dlv-1', 'dlv-2', 'dlv-3', 'dlv-4', 'dlv-5'];
      const results = await Promise.all(
        ids.map((id) => store.accept(newDelivery(id, { dedupeKeys: ['id:same', `body:${id}`] }))),
      );
      expect(results.map((result) => result.status)).toEqual(['pending', ...Array(4).fill('duplicate')]);
      expect(results.slice(1).map((result) => result.duplicateOf)).toEqual(Array(4).fill('dlv-1'));
      expect(store.delivery('dlv-2')).toMatchObject({ status: 'duplicate', duplicateOf: 'dlv-1' });
      expect(store.body('dlv-2')).toBeNull();
      expect(idsOf(store.pending(null, 10))).toEqual(['dlv-1']);
    });

    test('a duplicate claims none of its own keys, and names the first of several owners', async () => {
      const store = await freshStore(implementation);
      await keyed(store, 'dlv-1', 'id:a');
      expect(await keyed(store, 'dlv-2', 'id:a', 'body:b')).toBe('dlv-1');
      expect(await keyed(store, 'dlv-3', 'body:b')).toBeNull();
      expect(await keyed(store, 'dlv-4', 'body:b', 'id:a')).toBe('dlv-1');
    });

    test('keys count within a webhook only, and without keys nothing is a duplicate', async () => {
      const store = await freshStore(implementation);
      const results = [
        await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a', 'id:a'] })),
        await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'], webhook: 'other' })),
        await store.accept(newDelivery('dlv-3', { dedupeKeys: [] })),
        await store.accept(newDelivery('dlv-4', { dedupeKeys: [] })),
      ];
      expect(results.map((result) => result.status)).toEqual(Array(4).fill('pending'));
    });

    test('a dynamic webhook keeps its keys under its id, whatever its name is by then', async () => {
      const store = await freshStore(implementation);
      const from = async (id: string, webhook: string, webhookId: string | null) =>
        (await store.accept(newDelivery(id, { webhook, webhookId, dedupeKeys: ['id:a'] }))).duplicateOf;
      await from('dlv-1', 'before', 'whk-1');
      expect(await from('dlv-2', 'after', 'whk-1')).toBe('dlv-1');
      expect(await from('dlv-3', 'before', 'whk-2')).toBeNull();
      await store.recordOutcome(outcome('dlv-1'));
      expect(await from('dlv-4', 'after', 'whk-1')).toBe('dlv-1');
      expect(await from('dlv-5', 'before', null)).toBeNull();
    });

    test.each([
      ['processed', 'duplicate'],
      ['ignored', 'pending'],
      ['failed', 'pending'],
      ['duplicate', 'pending'],
    ] as const)('the same again after one that was %s is %s, also after a restart', async (first, second) => {
      const home = newHome(implementation);
      const before = await openHome(home);
      await before.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
      await before.recordOutcome(outcome('dlv-1', { status: first }));
      await before.close();

      const after = await openHome(home);
      expect(after.delivery('dlv-1')).toMatchObject({
        status: first,
        reason: 'one task',
        settledAt: NOW + 5,
      });
      expect((await after.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).status).toBe(second);
    });

    test('a pending one holds its keys, also after a restart', async () => {
      const home = newHome(implementation);
      const before = await openHome(home);
      await before.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a', '@seal:s'] }));
      await before.close();
      const after = await openHome(home);
      expect(await keyed(after, 'dlv-2', 'id:a')).toBe('dlv-1');
      expect(await keyed(after, 'dlv-3', '@seal:s')).toBe('dlv-1');
    });

    test.each([
      ['at accept', 'ignored'],
      ['by its dispatch', 'pending'],
    ] as const)(
      'one that is ignored %s keeps the keys of its signed bytes alone: only its sender may repeat it',
      async (_, status) => {
        const store = await freshStore(implementation);
        const sent = async (id: string, senderDeliveryId: string | null, ...dedupeKeys: readonly string[]) =>
          (await store.accept(newDelivery(id, { senderDeliveryId, dedupeKeys }))).duplicateOf;
        const settled = status === 'ignored' ? { settledAt: NOW, reason: 'no command' } : {};
        const accepted = newDelivery('dlv-1', {
          ...{ status, senderDeliveryId: 's-1', dedupeKeys: ['id:s-1', 'body:b', '@seal:s'] },
          ...settled,
        });
        await store.accept(accepted);
        await store.recordOutcome(outcome('dlv-1', { status: 'ignored' }));
        expect(await sent('dlv-2', 's-2', '@seal:s')).toBe('dlv-1');
        expect(await sent('dlv-3', null, '@seal:s')).toBe('dlv-1');
        expect(await sent('dlv-4', 's-4', 'body:b')).toBeNull();
        const elsewhere = { webhook: 'other', senderDeliveryId: 's-1', dedupeKeys: ['@seal:s'] };
        expect((await store.accept(newDelivery('dlv-5', elsewhere))).duplicateOf).toBe('dlv-1');
        expect(await sent('dlv-6', 's-1', 'id:s-1', '@seal:s')).toBeNull();
        // The keys are those of the one that runs now.
        expect(await sent('dlv-7', 's-1', '@seal:s')).toBe('dlv-6');
        expect(await store.requeue('dlv-1')).toBe(false);
      },
    );

    test('without a signature one that was ignored keeps the digest of its bytes', async () => {
      const store = await freshStore(implementation);
      await keyed(store, 'dlv-1', 'id:a', 'body:b');
      await store.recordOutcome(outcome('dlv-1', { status: 'ignored' }));
      expect(await keyed(store, 'dlv-2', 'body:b')).toBe('dlv-1');
      expect(await keyed(store, 'dlv-3', 'id:a')).toBeNull();
    });

    test('an unverified one holds back other unverified ones, but no verified one', async () => {
      const store = await freshStore(implementation);
      const unverified = async (id: string) =>
        (await store.accept(newDelivery(id, { trust: 'unverified', dedupeKeys: ['?id:a'] }))).duplicateOf;
      expect(await unverified('dlv-1')).toBeNull();
      expect(await unverified('dlv-2')).toBe('dlv-1');
      expect(await keyed(store, 'dlv-3', 'id:a')).toBeNull();
      await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));
      expect(await unverified('dlv-4')).toBe('dlv-3');
      await store.recordOutcome(outcome('dlv-3'));
      expect(await unverified('dlv-5')).toBe('dlv-3');
    });

    test('a signed message counts once for all webhooks', async () => {
      const store = await freshStore(implementation);
      const to = async (id: string, webhook: string) =>
        (await store.accept(newDelivery(id, { webhook, dedupeKeys: ['@seal:s'] }))).duplicateOf;
      expect(await to('dlv-1', 'one')).toBeNull();
      expect(await to('dlv-2', 'two')).toBe('dlv-1');
      await store.recordOutcome(outcome('dlv-1'));
      expect(await to('dlv-3', 'two')).toBe('dlv-1');
    });

    test('an act holds back no pending delivery, only what comes after the one that acted', async () => {
      const store = await freshStore(implementation);
      expect(await keyed(store, 'dlv-1', '@act:octocat:7@github')).toBeNull();
      expect(await keyed(store, 'dlv-2', '@act:octocat:7@github')).toBeNull();
      await store.recordOutcome(outcome('dlv-2', { status: 'ignored' }));
      expect(await keyed(store, 'dlv-3', '@act:octocat:7@github')).toBeNull();
      expect(store.holderOf('@act:octocat:7@github')).toBeNull();
      await store.recordOutcome(outcome('dlv-1'));
      expect(store.holderOf('@act:octocat:7@github')).toBe('dlv-1');
      expect(await keyed(store, 'dlv-4', '@act:octocat:7@github')).toBe('dlv-1');
    });

    test('a requeued delivery owns its keys again', async () => {
      const store = await freshStore(implementation);
      await keyed(store, 'dlv-1', 'id:a');
      await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));
      expect(await store.requeue('dlv-1')).toBe(true);
      expect(await keyed(store, 'dlv-2', 'id:a')).toBe('dlv-1');
    });

    test('a delivery is not requeued while a later one has its keys, pending or done', async () => {
      const store = await freshStore(implementation);
      await keyed(store, 'dlv-1', 'id:a');
      await store.recordOutcome(outcome('dlv-1', { status: 'ignored' }));
      await keyed(store, 'dlv-2', 'id:a');
      expect(await store.requeue('dlv-1')).toBe(false);
      await store.recordOutcome(outcome('dlv-2'));
      expect(await store.requeue('dlv-1')).toBe(false);
      expect(store.delivery('dlv-1')?.status).toBe('ignored');
    });

    test('a requeue right after an outcome was stored holds the keys, answered or not', async () => {
      const store = await freshStore(implementation);
      for (let number = 0; number < 10; number += 1) {
        const id = `dlv-${number}-a`;
        await keyed(store, id, `id:${number}`);
        const settled = store.recordOutcome(outcome(id, { status: 'failed' }));
        // It can be read before this thread hears of it: the thread is kept busy most of the time.
        const deadline = performance.now() + 2_000;
        const isPending = () => store.delivery(id)?.status === 'pending' && performance.now() < deadline;
        while (isPending()) {
          await new Promise(setImmediate);
          const turnEnds = performance.now() + 5;
          while (isPending() && performance.now() < turnEnds);
        }
        expect(await store.requeue(id)).toBe(true);
        await settled;
        expect(await keyed(store, `dlv-${number}-b`, `id:${number}`)).toBe(id);
      }
    });

    test('a requeue of one that was ignored at accept holds the keys from then on', async () => {
      const store = await openHome(newHome(implementation));
      const requeued = await Promise.all(
        Array.from({ length: 10 }, async (_, number) => {
          const ignored = { status: 'ignored', settledAt: NOW, dedupeKeys: [`id:${number}`] } as const;
          await store.accept(newDelivery(`dlv-${number}-a`, ignored));
          return store.requeue(`dlv-${number}-a`);
        }),
      );
      expect(requeued).toEqual(Array(10).fill(true));
      for (const number of requeued.keys())
        expect(await keyed(store, `dlv-${number}-b`, `id:${number}`)).toBe(`dlv-${number}-a`);
    });

    test('of two requeues of one thing at once, one is done', async () => {
      const store = await freshStore(implementation);
      await keyed(store, 'dlv-1', 'id:a');
      await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));
      await keyed(store, 'dlv-2', 'id:a');
      await store.recordOutcome(outcome('dlv-2', { status: 'failed' }));
      const done = await Promise.all([store.requeue('dlv-1'), store.requeue('dlv-2')]);
      expect(done.toSorted()).toEqual([false, true]);
      expect(store.pending(null, 10)).toHaveLength(1);
      expect(await keyed(store, 'dlv-3', 'id:a')).toBe(store.pending(null, 10)[0]?.id);
    });
  });
}

function rejection(id: string, changes: Partial<NewRejection> = {}): NewRejection {
  return {
    ...{ id, webhook: 'github', webhookId: 'whk-1', owner: 'operator', provider: 'github' },
    ...{ reason: 'signature_wrong' },
    ...{ senderDeliveryId: 'sender-1', eventType: 'push', size: 7, receivedAt: NOW },
    ...changes,
  };
}
