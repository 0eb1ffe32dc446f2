import { expect, test } from 'vitest';
import type { NewRejection } from '../../src/store/store.ts';
import { freshStore, NOW, newDelivery, outcome, storePath } from './fixtures.ts';

test('an accepted delivery is read back as it came, byte for byte', async () => {
  const store = await freshStore();
  const body = Buffer.concat([Buffer.from([0, 255, 13, 10]), Buffer.from('{"é":1}')]);
  const accepted = await store.accept(newDelivery('dlv-1', { body, query: 'a=%20b', replies: false }));

  expect(accepted).toEqual({ status: 'pending', duplicateOf: null });
  expect(Buffer.from(store.body('dlv-1') ?? [])).toEqual(body);
  expect(store.delivery('dlv-1')).toEqual({
    id: 'dlv-1',
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
    isSample: false,
  });
  expect([store.delivery('dlv-none'), store.body('dlv-none')]).toEqual([null, null]);
});

test('the bytes that were handed in stay whole, also as a view into a larger buffer', async () => {
  const store = await freshStore();
  const large = Buffer.alloc(1_000_000, 'x');
  const view = large.subarray(10, 20);
  await store.accept(newDelivery('dlv-1', { body: view }));
  expect([large.byteLength, view.toString(), store.body('dlv-1')?.byteLength]).toEqual([
    1_000_000,
    'xxxxxxxxxx',
    10,
  ]);
});

test('five equal deliveries at once: one is pending, four are duplicates without bytes', async () => {
  const store = await freshStore();
  const ids = ['dlv-1', 'dlv-2', 'dlv-3', 'dlv-4', 'dlv-5'];
  const results = await Promise.all(
    ids.map((id) => store.accept(newDelivery(id, { dedupeKeys: ['id:same', `body:${id}`] }))),
  );
  expect(results.map((result) => result.status)).toEqual(['pending', ...Array(4).fill('duplicate')]);
  expect(results.slice(1).map((result) => result.duplicateOf)).toEqual(Array(4).fill('dlv-1'));
  expect(store.delivery('dlv-2')).toMatchObject({ status: 'duplicate', duplicateOf: 'dlv-1' });
  expect(store.body('dlv-2')).toBeNull();
  expect(store.pending(null, 10).map((row) => row.id)).toEqual(['dlv-1']);
});

test('a duplicate claims none of its own keys', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
  await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a', 'body:b'] }));
  expect(await store.accept(newDelivery('dlv-3', { dedupeKeys: ['body:b'] }))).toMatchObject({
    status: 'pending',
  });
});

test('keys count within a webhook only, and without keys nothing is a duplicate', async () => {
  const store = await freshStore();
  const results = [
    await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a', 'id:a'] })),
    await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'], webhook: 'other' })),
    await store.accept(newDelivery('dlv-3', { dedupeKeys: [] })),
    await store.accept(newDelivery('dlv-4', { dedupeKeys: [] })),
  ];
  expect(results.map((result) => result.status)).toEqual(Array(4).fill('pending'));
});

test('an unparsed delivery is stored whole, claims nothing and is never queued', async () => {
  const store = await freshStore();
  const unparsed = { status: 'unparsed', reason: 'not JSON', dedupeKeys: ['id:a'] } as const;
  expect(await store.accept(newDelivery('dlv-1', unparsed))).toEqual({
    status: 'unparsed',
    duplicateOf: null,
  });
  expect(store.body('dlv-1')).not.toBeNull();
  expect(store.pending(null, 10)).toEqual([]);
  expect(await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).toMatchObject({
    status: 'pending',
  });
});

test.each([
  ['processed', 'duplicate'],
  ['ignored', 'pending'],
  ['failed', 'pending'],
] as const)('a redelivery of one that was %s is %s, also after a restart', async (first, second) => {
  const path = storePath();
  const before = await freshStore(path);
  await before.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
  await before.recordOutcome(outcome('dlv-1', { status: first }));
  await before.close();

  const after = await freshStore(path);
  expect(after.delivery('dlv-1')).toMatchObject({ status: first, reason: 'one task', settledAt: NOW + 5 });
  expect(await after.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).toMatchObject({
    status: second,
  });
});

test('a requeued delivery is pending again and owns its keys again', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
  expect(await store.requeue('dlv-1')).toBe(false);
  await store.postpone('dlv-1', 'no answer', NOW + 100);
  expect(store.pending(null, 10)).toEqual([
    { id: 'dlv-1', externalId: 'github:octo/repo#1', attempts: 1, nextAttemptAt: NOW + 100 },
  ]);
  await store.recordOutcome(outcome('dlv-1', { status: 'failed' }));

  expect(await store.requeue('dlv-1')).toBe(true);
  expect(store.delivery('dlv-1')).toMatchObject({ status: 'pending', attempts: 0, settledAt: null });
  expect(await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }))).toMatchObject({
    status: 'duplicate',
    duplicateOf: 'dlv-1',
  });
});

test('a delivery is not requeued when a later one has taken its keys', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:a'] }));
  await store.recordOutcome(outcome('dlv-1', { status: 'ignored' }));
  await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a'] }));
  expect(await store.requeue('dlv-1')).toBe(false);
  expect(store.delivery('dlv-1')?.status).toBe('ignored');
  expect(await store.requeue('dlv-none')).toBe(false);
});

test('only the newest 1,000 rejections are kept, other rows are untouched', async () => {
  const store = await freshStore();
  await store.accept(newDelivery('dlv-0000'));
  const ids = Array.from({ length: 1_003 }, (_, index) => `dlv-${String(index + 1).padStart(4, '0')}`);
  await Promise.all(ids.map((id) => store.reject(rejection(id))));

  const kept = store.deliveries({ status: 'rejected', limit: 2_000 });
  expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([1_000, 'dlv-1003', 'dlv-0004']);
  expect(kept[0]).toMatchObject({ reason: 'signature_wrong', size: 7, trust: null, headers: {} });
  expect(store.delivery('dlv-0000')?.status).toBe('pending');
});

test('lists are newest first, pages and followers continue by id, filters combine', async () => {
  const store = await freshStore();
  for (const id of ['dlv-1', 'dlv-2', 'dlv-3']) await store.accept(newDelivery(id));
  await store.accept(newDelivery('dlv-4', { webhook: 'jira' }));
  await store.recordOutcome(outcome('dlv-2', { status: 'ignored' }));

  const idsOf = (filter: Parameters<typeof store.deliveries>[0]) =>
    store.deliveries(filter).map((row) => row.id);
  expect(idsOf({})).toEqual(['dlv-4', 'dlv-3', 'dlv-2', 'dlv-1']);
  expect(idsOf({ limit: 2, before: 'dlv-4' })).toEqual(['dlv-3', 'dlv-2']);
  expect(idsOf({ after: 'dlv-2' })).toEqual(['dlv-3', 'dlv-4']);
  expect(idsOf({ webhook: 'github', status: 'pending' })).toEqual(['dlv-3', 'dlv-1']);
  expect(store.pending('dlv-1', 1).map((row) => row.id)).toEqual(['dlv-3']);
  expect(store.countsByWebhook()).toEqual([
    {
      webhook: 'github',
      total: 3,
      byStatus: { pending: 2, ignored: 1 },
      lastDeliveryId: 'dlv-3',
      lastReceivedAt: NOW,
    },
    { webhook: 'jira', total: 1, byStatus: { pending: 1 }, lastDeliveryId: 'dlv-4', lastReceivedAt: NOW },
  ]);
});

function rejection(id: string): NewRejection {
  return {
    id,
    webhook: 'github',
    webhookId: null,
    provider: 'github',
    reason: 'signature_wrong',
    senderDeliveryId: null,
    eventType: null,
    size: 7,
    receivedAt: NOW,
  };
}
