import { describe, expect, test } from 'vitest';
import type { Filters, Store } from '../../../src/store/store.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { comment, creation, freshStore, runEnd, runStart, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const OWNERS = ['operator', 'ada', 'bob'] as const;

/** For each owner two deliveries, of which one makes a task about the same issue, with a post, a run and an audit line. */
async function filled(implementation: Implementation): Promise<Store> {
  const store = await freshStore(implementation);
  for (const [at, owner] of OWNERS.entries()) {
    await store.accept(newDelivery(`dlv-z${at}0`, { owner, dedupeKeys: [] }));
    await withTasks(
      store,
      `dlv-z${at}1`,
      [[`task-z${at}`, { flowId: `flow-${owner}`, startNewConversation: true }]],
      { owner, dedupeKeys: [] },
    );
    await store.addComment(comment(`out-${at}`), `dlv-z${at}1`, NOW);
    await store.startRun(runStart(`run-${at}`, store.task(`task-z${at}`), { reservedUsd: 1 + at }));
    const usage = { costUsd: 0.5 + at, inputTokens: 1, outputTokens: 1, turns: 1 };
    if (owner !== 'bob') await store.endRun(runEnd(`run-${at}`, { usage }));
    await store.recordAudit([
      {
        ...{ at: NOW, actor: { kind: 'cli', name: 'ada' }, what: 'task.approve', target: `task-z${at}` },
        ...{ owner, details: {}, revision: null },
      },
    ]);
  }
  return store;
}

export function ownersContract(implementation: Implementation): void {
  describe('owners', () => {
    test('every list, and how many it has: one owner sees what is its own, and no filter is all', async () => {
      const store = await filled(implementation);
      const lists = {
        deliveries: store.deliveries,
        tasks: store.tasks,
        flows: store.flows,
        conversations: store.conversations,
        outbox: store.outbox,
        audit: store.audit,
      } satisfies { readonly [List in keyof Filters]: (filter?: Filters[List]) => readonly object[] };
      for (const [list, rows] of Object.entries(lists)) {
        const name = list as keyof Filters;
        const each = name === 'deliveries' ? 2 : 1;
        expect(rows(), list).toHaveLength(each * OWNERS.length);
        expect(rows({ owner: 'nobody' }), list).toEqual([]);
        for (const owner of OWNERS) {
          expect(
            rows({ owner }).map((row) => row.owner),
            list,
          ).toEqual(Array(each).fill(owner));
          expect(store.count(name, { owner }), list).toBe(each);
        }
      }
    });

    test('a page of one owner: goes on before the last row, and other filters count beside it', async () => {
      const store = await freshStore(implementation);
      const ids = Array.from({ length: 12 }, (_, at) => `dlv-${String(at).padStart(2, '0')}`);
      for (const [at, id] of ids.entries())
        await store.accept(newDelivery(id, { owner: at % 2 === 0 ? 'ada' : 'operator', dedupeKeys: [] }));
      const page = (filter: object) =>
        store.deliveries({ owner: 'ada', limit: 2, ...filter }).map(({ id }) => id);
      expect(page({})).toEqual(['dlv-10', 'dlv-08']);
      expect(page({ before: 'dlv-08' })).toEqual(['dlv-06', 'dlv-04']);
      expect(page({ after: 'dlv-03' })).toEqual(['dlv-04', 'dlv-06']);
      expect(page({ status: 'failed' })).toEqual([]);
      expect(page({ sender: 'octocat', text: 'dlv-06' })).toEqual(['dlv-06']);
    });

    test('counts and reports: those of one owner add up to those of all', async () => {
      const store = await filled(implementation);
      const since = NOW - 1_000;
      expect(store.countsByOwner()).toEqual([
        { owner: 'ada', deliveries: 2, tasks: 1 },
        { owner: 'bob', deliveries: 2, tasks: 1 },
      ]);
      expect(store.countsByWebhook(undefined, 'ada')).toMatchObject([{ webhook: 'github', total: 2 }]);
      expect(store.countsByWebhook(['github'], 'bob')[0]?.byStatus).toEqual({ pending: 1, processed: 1 });
      expect(store.countsByTaskStatus('ada')).toEqual({ running: 1 });
      expect(store.countsByOutgoingStatus('ada')).toEqual({ waiting: 1 });
      expect(store.received(since, 1_000, 'ada').map(({ count }) => count)).toEqual([1, 1]);
      expect(store.settlings(since, 10, 'ada')).toHaveLength(2);
      expect(store.openRuns('bob').map(({ id, owner }) => [id, owner])).toEqual([['run-2', 'bob']]);
      expect(store.openRuns('ada')).toEqual([]);
      expect(store.spent(since, { owner: 'ada' })).toEqual({ runs: 1, endedUsd: 1.5, runningUsd: 0 });
      expect(store.spent(since, { owner: 'bob' })).toEqual({ runs: 1, endedUsd: 0, runningUsd: 3 });
      expect(store.spent(since, { exceptOwners: ['ada'] })).toEqual({
        runs: 2,
        endedUsd: 0.5,
        runningUsd: 3,
      });
      expect(store.spent(since).runs).toBe(3);
      expect(store.spend('owner', since).map(({ name, costUsd }) => [name, costUsd])).toEqual([
        ['bob', 0],
        ['ada', 1.5],
        ['operator', 0.5],
      ]);
      expect(store.spend('agent', since, 'ada')).toMatchObject([{ name: 'planning', costUsd: 1.5 }]);
      expect(store.costs(since, 'ada')).toMatchObject([{ runs: 1, usd: 1.5 }]);
      const stats = store.stats({ by: 'owner', since, until: NOW + 1_000 });
      expect(stats.map(({ name, deliveries, tasks }) => [name, deliveries, tasks])).toEqual([
        ['ada', 2, 1],
        ['bob', 2, 1],
        ['operator', 2, 1],
      ]);
      const own = store.stats({ by: 'webhook', since, until: NOW + 1_000, owner: 'ada' });
      expect(own).toMatchObject([{ name: 'github', deliveries: 2, tasks: 1 }]);
    });

    test('what a row keeps: queued tasks, pruned runs and a refusal have their owner; a duplicate has its own', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1', { flowId: 'flow-ada' }]], { owner: 'ada' });
      expect(store.queuedTasks(['planning'], 9)).toMatchObject([{ id: 'task-1', owner: 'ada' }]);
      await store.startRun(runStart('run-1', store.task('task-1')));
      await store.endRun(
        runEnd('run-1', { usage: { costUsd: 2, inputTokens: 1, outputTokens: 1, turns: 1 } }),
      );
      const ended = { event: 'complete', from: 'running', to: 'completed', isEnd: true } as const;
      const step = { actor: 'ada', reason: null, result: null, error: null, reply: null, at: NOW + 5 };
      const spent = { costUsd: null, inputTokens: null, outputTokens: null };
      await store.changeTask({ taskId: 'task-1', ...ended, ...step, spent });
      const filter = { before: NOW + 10, samples: false };
      expect(await store.pruneTrees(store.prunableTrees(filter, '', 9), filter, NOW + 20)).toEqual([
        'task-1',
      ]);
      expect(store.spent(NOW - 1, { owner: 'ada' })).toMatchObject({ runs: 1, endedUsd: 2 });
      await store.accept(newDelivery('dlv-2', { owner: 'bob', dedupeKeys: ['id:sender-dlv-1'] }));
      expect(store.delivery('dlv-2')).toMatchObject({ status: 'duplicate', owner: 'bob' });
      await store.reject({
        ...{ id: 'dlv-3', webhook: 'github', webhookId: null, owner: 'bob', provider: 'github' },
        ...{ reason: 'x', senderDeliveryId: null, eventType: null, size: 0, receivedAt: NOW },
      });
      expect(store.delivery('dlv-3')?.owner).toBe('bob');
    });

    test('queuedTasks: each owner in turn, so that many tasks of one keep no other waiting', async () => {
      const store = await freshStore(implementation);
      const queued = [...['task-1', 'task-2', 'task-3'].map((id) => [id, 'ada']), ['task-4', 'bob']] as const;
      for (const [id = '', owner = ''] of queued)
        await store.createTask(creation(id, { owner, flowId: `flow-${id}`, externalId: `cli:${id}` }));
      const idsIn = (limit: number) => store.queuedTasks(['planning'], limit).map(({ id }) => id);
      expect(idsIn(2)).toEqual(['task-1', 'task-4']);
      expect(idsIn(9)).toEqual(['task-1', 'task-4', 'task-2', 'task-3']);
    });

    test('retention: bodies and rows of one owner, and of all but some', async () => {
      const store = await freshStore(implementation);
      for (const [at, owner] of OWNERS.entries())
        await store.accept(newDelivery(`dlv-00${at}`, { owner, status: 'unparsed', dedupeKeys: [] }));
      const bodies = (filter: object) => store.prunable({ before: null, ...filter }, 9).map(({ id }) => id);
      expect(bodies({ owner: 'ada' })).toEqual(['dlv-001']);
      expect(bodies({ owner: 'operator' })).toEqual(['dlv-000']);
      expect(bodies({ exceptOwners: ['ada'] })).toEqual(['dlv-000', 'dlv-002']);
      expect(store.countPrunable({ before: null, exceptOwners: ['ada', 'bob'] }).count).toBe(1);
      await store.removeBodies(['dlv-000', 'dlv-001', 'dlv-002'], NOW);
      expect(await store.forgetDeliveries(NOW, 9, { owner: 'bob' })).toBe(1);
      expect(store.delivery('dlv-002')).toBeNull();
      expect(await store.forgetDeliveries(NOW, 9, { exceptOwners: ['ada'] })).toBe(1);
      expect(store.deliveries().map(({ id }) => id)).toEqual(['dlv-001']);
    });

    test('flows: one external id has a flow for each owner, also by a name that its subject got later', async () => {
      const store = await filled(implementation);
      const about = { externalId: 'github:octo/repo#1' };
      expect(store.flows(about)).toHaveLength(3);
      expect(store.flows({ ...about, owner: 'bob' })).toMatchObject([{ id: 'flow-bob' }]);
      await store.accept(newDelivery('dlv-9', { owner: 'bob', dedupeKeys: [] }));
      const alias = { alias: 'bob|github:octo/renamed#1', flowId: 'flow-bob', stable: false };
      await store.recordOutcome({ ...outcome('dlv-9'), effects: [{ kind: 'alias', alias }] });
      const renamed = { externalId: 'github:octo/renamed#1' };
      expect(store.flows(renamed).map(({ id }) => id)).toEqual(['flow-bob']);
      expect(store.flows({ ...renamed, owner: 'ada' })).toEqual([]);
      await store.createTask(
        creation('task-8', { owner: 'ada', flowId: 'flow-8', externalId: 'jira:a.b/X-1' }),
      );
      expect([store.ticketsNamed('X-1', 'ada'), store.ticketsNamed('X-1', 'bob')]).toEqual([
        ['jira:a.b/X-1'],
        [],
      ]);
    });

    test('countSettled: one owner’s deliveries about a thread do not count for another', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1', { owner: 'ada', isByPerson: false }));
      await store.recordOutcome(outcome('dlv-1', { tasks: [taskInFlow('task-1')] }));
      const settled = (owner: string) =>
        store.countSettled('github:octo/repo#1', { owner, status: 'processed', since: 0 });
      expect([settled('ada'), settled('operator')]).toEqual([1, 0]);
    });
  });
}
