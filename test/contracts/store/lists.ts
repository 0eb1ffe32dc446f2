import { describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import type { NewAuditEntry } from '../../../src/types.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { change, comment, everything, freshStore, idsOf, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const ROWS = 60;

/** 60 of everything that is listed, varied. */
async function filled(implementation: Implementation): Promise<Store> {
  const store = await freshStore(implementation);
  const numbers = Array.from({ length: ROWS }, (_, index) => index);
  const two = (number: number) => String(number).padStart(2, '0');
  await Promise.all(
    numbers.map((number) =>
      store.accept(newDelivery(`dlv-${two(number)}`, { webhook: number % 3 === 0 ? 'jira' : 'github' })),
    ),
  );
  await Promise.all(
    numbers.slice(0, 50).map((number) =>
      store.recordOutcome(
        outcome(`dlv-${two(number)}`, {
          status: number % 4 === 0 ? 'failed' : 'processed',
          tasks: [
            taskInFlow(`task-${two(number)}`, {
              ...{ flowId: `flow-${two(number % 25)}`, externalId: `x:${number % 25}` },
              startNewConversation: number >= 40,
              task: { agent: number % 2 === 0 ? 'planning' : 'brain' },
            }),
          ],
          outgoing: [comment(`out-${two(number)}-a`), comment(`out-${two(number)}-b`)],
          // Some flows are made at the same time.
          settledAt: NOW + Math.floor(number / 2),
        }),
      ),
    ),
  );
  for (const number of numbers.slice(0, 9)) {
    await store.changeTask(change(`task-${two(number)}`));
    await store.dropOutgoing(`out-${two(number)}-a`, NOW);
  }
  await store.recordAudit(
    numbers.map((number) => entry(number % 2 === 0 ? 'webhook.add' : 'task.stop', number)),
  );
  return store;
}

function entry(what: string, at = 0): NewAuditEntry {
  return {
    ...{ at: NOW + at, actor: { kind: 'cli', name: 'ada' }, what, target: 'jira' },
    ...{ owner: 'operator', details: { fields: ['name'] }, revision: null },
  };
}

export function listsContract(implementation: Implementation): void {
  describe('lists', () => {
    test('count: as many as the list has for the same filter, whatever its limit', async () => {
      const store = await filled(implementation);
      const limit = 1_000;
      const deliveries = [
        ...[{}, { status: 'failed' }, { webhook: 'jira' }, { webhook: 'jira', status: 'pending' }],
        ...[{ after: 'dlv-30' }, { before: 'dlv-30', webhook: 'github' }, { webhook: 'none' }],
      ] as const;
      const tasks = [
        ...[
          {},
          { status: 'completed' },
          { open: true },
          { agent: 'brain', open: true },
          { flowId: 'flow-03' },
        ],
        ...[{ conversationId: 'conv-task-03' }, { deliveryId: 'dlv-07' }, { after: 'task-30' }],
        { before: 'task-30', agent: 'brain' },
      ] as const;
      const flows = [{}, { id: 'flow-03' }, { externalId: 'x:3' }, { before: 'flow-03' }] as const;
      const conversations = [{}, { id: 'conv-task-03' }, { flowId: 'flow-20' }, { before: 'conv-task-20' }];
      const outbox = [{}, { status: 'dropped' }, { deliveryId: 'dlv-03' }, { before: 'out-20-a' }] as const;
      const audit = [{}, { what: 'webhook' }, { what: 'webhook.add' }, { since: NOW + 30 }, { before: 9 }];
      const counted: readonly (readonly [number, readonly unknown[]])[] = [
        ...deliveries.map(
          (filter) => [store.count('deliveries', filter), store.deliveries({ ...filter, limit })] as const,
        ),
        ...tasks.map((filter) => [store.count('tasks', filter), store.tasks({ ...filter, limit })] as const),
        ...flows.map((filter) => [store.count('flows', filter), store.flows({ ...filter, limit })] as const),
        ...conversations.map(
          (filter) =>
            [store.count('conversations', filter), store.conversations({ ...filter, limit })] as const,
        ),
        ...outbox.map(
          (filter) => [store.count('outbox', filter), store.outbox({ ...filter, limit })] as const,
        ),
        ...audit.map((filter) => [store.count('audit', filter), store.audit({ ...filter, limit })] as const),
      ];
      expect(counted.map(([count]) => count)).toEqual(counted.map(([, rows]) => rows.length));
      expect(store.count('deliveries', { limit: 2 })).toBe(ROWS);
      expect([store.count('deliveries'), store.count('tasks'), store.count('flows')]).toEqual([60, 50, 25]);
      expect([store.count('conversations'), store.count('outbox'), store.count('audit')]).toEqual([
        35, 100, 60,
      ]);
      expect(store.deliveries()).toHaveLength(50);
    });

    test('pages follow each other without a gap, newest first by before, oldest first by after', async () => {
      const store = await filled(implementation);
      type Row = { readonly id: string | number };
      /** All pages of seven rows, one behind the other. */
      function pages<Id>(page: (from: Id | undefined) => readonly Row[], last: (row: Row) => Id) {
        const rows: Row[] = [];
        for (let from: Id | undefined; ; ) {
          const more = page(from);
          rows.push(...more);
          const end = more.at(-1);
          if (end === undefined) return rows.map(({ id }) => id);
          from = last(end);
        }
      }
      const text = ({ id }: Row) => String(id);
      const limit = 7;
      const all = { limit: 1_000 };
      const descending = (rows: readonly Row[]) => rows.map(({ id }) => id);
      expect(
        pages((before?: string) => store.deliveries({ limit, ...(before && { before }) }), text),
      ).toEqual(descending(store.deliveries(all)));
      expect(pages((before?: string) => store.tasks({ limit, ...(before && { before }) }), text)).toEqual(
        descending(store.tasks(all)),
      );
      expect(pages((before?: string) => store.flows({ limit, ...(before && { before }) }), text)).toEqual(
        descending(store.flows(all)),
      );
      expect(
        pages((before?: string) => store.conversations({ limit, ...(before && { before }) }), text),
      ).toEqual(descending(store.conversations(all)));
      expect(pages((before?: string) => store.outbox({ limit, ...(before && { before }) }), text)).toEqual(
        descending(store.outbox(all)),
      );
      expect(
        pages(
          (before?: number) => store.audit({ limit, ...(before !== undefined && { before }) }),
          ({ id }) => Number(id),
        ),
      ).toEqual(descending(store.audit(all)));
      expect(pages((after = '') => store.deliveries({ limit, after }), text)).toEqual(
        descending(store.deliveries(all).toReversed()),
      );
      expect(pages((after = '') => store.tasks({ limit, after }), text)).toEqual(
        descending(store.tasks(all).toReversed()),
      );
      expect(pages((after?: string) => store.pending(after ?? null, 3), text)).toEqual(
        descending(store.deliveries({ ...all, status: 'pending', after: '' })),
      );
      const times = store.flows(all).map(({ createdAt }) => createdAt);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    });

    test('counts by webhook name the newest delivery of each, and leave out what received nothing', async () => {
      const store = await freshStore(implementation);
      for (const [id, webhook] of [['dlv-1', 'a'] as const, ['dlv-2', 'b'] as const, ['dlv-3', 'a'] as const])
        await store.accept(newDelivery(id, { webhook, receivedAt: NOW + Number(id.at(-1)) }));
      await store.recordOutcome(outcome('dlv-1', { status: 'ignored' }));
      const a = {
        ...{ webhook: 'a', total: 2, byStatus: { pending: 1, ignored: 1 } },
        ...{ lastDeliveryId: 'dlv-3', lastReceivedAt: NOW + 3 },
      };
      expect(store.countsByWebhook()).toMatchObject([a, { webhook: 'b', total: 1 }]);
      expect(store.countsByWebhook(['a', 'none'])).toEqual([a]);
      expect(store.countsByWebhook([])).toEqual([]);
    });

    test('countSettled: by external id, status, time and the beginning of the reason, without replays and people', async () => {
      const store = await freshStore(implementation);
      const rows = [
        ['dlv-1', {}, { reason: 'loop: too many' }],
        ['dlv-2', {}, { reason: 'a loop' }],
        ['dlv-3', { replayOf: 'dlv-1' }, { reason: 'loop' }],
        ['dlv-4', { isByPerson: true }, { reason: 'loop' }],
        ['dlv-5', { externalId: 'x:2' }, { reason: 'loop' }],
        ['dlv-6', {}, { reason: 'loop', settledAt: NOW - 5 }],
        ['dlv-7', {}, { reason: 'loop', status: 'failed' }],
      ] as const;
      for (const [id, given, settled] of rows) {
        await store.accept(newDelivery(id, { isByPerson: false, dedupeKeys: [], ...given }));
        await store.recordOutcome(outcome(id, { status: 'ignored', ...settled }));
      }
      const settled = (filter: object) =>
        store.countSettled('github:octo/repo#1', {
          ...{ owner: 'operator', status: 'ignored', since: NOW },
          ...filter,
        });
      expect([settled({ reason: 'loop' }), settled({}), settled({ since: 0 })]).toEqual([1, 2, 3]);
      expect(settled({ since: NOW + 5 })).toBe(0);
    });
  });

  describe('audit', () => {
    test('entries are appended in their order, all or nothing', async () => {
      const store = await freshStore(implementation);
      await store.recordAudit([entry('webhook.add'), { ...entry('webhook.remove', 1), revision: 'r1' }]);
      const before = everything(store);
      const broken = [entry('task.stop', 2), { ...entry('task.stop', 3), at: 1.5 }];
      await expect(store.recordAudit(broken)).rejects.toMatchObject({ code: 'store_write' });
      expect(everything(store)).toEqual(before);
      await store.recordAudit([]);
      const [newest, oldest] = store.audit();
      expect(newest).toEqual({ ...entry('webhook.remove', 1), revision: 'r1', id: newest?.id });
      expect(oldest).toEqual({ ...entry('webhook.add'), id: oldest?.id });
      expect(newest?.id).toBeGreaterThan(oldest?.id ?? Number.POSITIVE_INFINITY);
    });

    test('is filtered by what, whole or its first word, by time, and by the line before', async () => {
      const store = await freshStore(implementation);
      const names = [
        'webhook.add',
        'webhooks.import',
        'webhook.add',
        'task.stop',
        'webhook.remove',
        'webhook',
        'webhook-form.add',
      ];
      await store.recordAudit(names.map((what, index) => entry(what, index)));
      const found = (filter: Parameters<Store['audit']>[0]) =>
        store.audit(filter).map(({ at, what }) => `${what} ${at - NOW}`);
      expect(found({ what: 'webhook' })).toEqual([
        ...['webhook 5', 'webhook.remove 4'],
        ...['webhook.add 2', 'webhook.add 0'],
      ]);
      expect(found({ what: 'webhook.add' })).toEqual(['webhook.add 2', 'webhook.add 0']);
      expect(found({ what: 'web' })).toEqual([]);
      expect(found({ since: NOW + 5 })).toEqual(['webhook-form.add 6', 'webhook 5']);
      const [third] = store.audit({ what: 'task' });
      expect(found({ before: third?.id ?? 0, limit: 2 })).toEqual(['webhook.add 2', 'webhooks.import 1']);
      expect(store.auditedNames()).toEqual([
        ...['task.stop', 'webhook', 'webhook-form.add', 'webhook.add'],
        ...['webhook.remove', 'webhooks.import'],
      ]);
    });
  });

  describe('selection', () => {
    test('chooses by status, webhook and time, ends included, oldest first, and never replays', async () => {
      const store = await freshStore(implementation);
      for (const number of [1, 2, 3, 4, 5]) {
        const webhook = number === 4 ? 'jira' : 'github';
        const replayOf = number === 3 ? 'dlv-1' : null;
        const changes = { webhook, replayOf, receivedAt: NOW + number, query: `n=${number}`, dedupeKeys: [] };
        await store.accept(newDelivery(`dlv-${number}`, changes));
        if (number !== 5) await store.recordOutcome(outcome(`dlv-${number}`, { status: 'failed' }));
      }
      await withTasks(store, 'dlv-6', [], { receivedAt: NOW + 6 });
      const until = NOW + 100;
      const chosen = (filter: object, limit = 10) => {
        const selection = { statuses: ['failed', 'pending'] as const, until, ...filter };
        const rows = store.selected(selection, limit);
        if (limit === 10) expect(store.countSelected(selection)).toBe(rows.length);
        return idsOf(rows);
      };
      expect(chosen({})).toEqual(['dlv-1', 'dlv-2', 'dlv-4', 'dlv-5']);
      expect(chosen({ statuses: ['processed'] })).toEqual(['dlv-6']);
      expect(chosen({ statuses: [] })).toEqual([]);
      expect(chosen({ webhook: 'jira' })).toEqual(['dlv-4']);
      expect(chosen({ since: NOW + 2, until: NOW + 4 })).toEqual(['dlv-2', 'dlv-4']);
      expect(chosen({ after: 'dlv-1' }, 2)).toEqual(['dlv-2', 'dlv-4']);
      const [row] = store.selected({ statuses: ['failed'], until }, 1);
      expect(row).toMatchObject({
        ...{ id: 'dlv-1', webhook: 'github', trust: 'verified', query: 'n=1' },
        headers: { 'x-github-event': 'issue_comment' },
      });
      expect(Buffer.from(row?.body() ?? []).toString()).toBe('{"id":"dlv-1"}');
    });
  });
}
