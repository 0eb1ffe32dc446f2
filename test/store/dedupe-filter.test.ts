import { expect, onTestFinished, test, vi } from 'vitest';
import { openDedupe } from '../../src/store/local/log/dedupe.ts';
import type { Sql } from '../../src/store/local/sql.ts';
import { freshStore, newDelivery, outcome, storePath } from './fixtures.ts';

/** An index with so many keys, that counts how often it is asked who owns some. */
function indexWith(count: number) {
  const keys = Array.from({ length: count }, (_, index) => `id:${String(index).padStart(6, '0')}`);
  const asked: unknown[] = [];
  const all = (text: string, values: readonly unknown[] = []) => {
    if (text.includes("status = 'pending'")) return [];
    if (text.includes('order by webhook')) {
      const [, after, limit] = values;
      return keys
        .filter((key) => key > String(after))
        .slice(0, Number(limit))
        .map((key) => ({ scope: 'github', bytes: Buffer.from(key) }));
    }
    asked.push(values);
    const owned = keys.find((key) => values.includes(key));
    return owned === undefined ? [] : [{ delivery_id: `dlv-${owned}`, acted: 1 }];
  };
  return { sql: { all } as unknown as Sql, asked };
}

const claimant = (id: string, key: string) => ({
  ...{ id, webhook: 'github', webhook_id: null, trust: 'verified' as const },
  ...{ sender_delivery_id: null, claims: JSON.stringify([key]) },
});

test('the index is asked for every key until all of its keys are known, then only for those', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { sql, asked } = indexWith(2_500);
  const dedupe = openDedupe(sql, () => true);
  expect(dedupe.owner(claimant('dlv-1', 'id:new'))).toBeNull();
  expect(asked).toHaveLength(1);
  vi.runAllTimers();
  expect(dedupe.owner(claimant('dlv-2', 'id:newer'))).toBeNull();
  expect(asked).toHaveLength(1);
  for (const key of ['id:000000', 'id:001500', 'id:002499'])
    expect(dedupe.owner(claimant('dlv-3', key))).toBe(`dlv-${key}`);
  expect(asked).toHaveLength(4);
});

test('a store that is closed meanwhile is read no further', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { sql, asked } = indexWith(2_500);
  const dedupe = openDedupe(sql, () => false);
  vi.runAllTimers();
  expect(dedupe.owner(claimant('dlv-1', 'id:new'))).toBeNull();
  expect(asked).toHaveLength(1);
});

test.each([
  ['half of a surrogate pair', 'key:cut \ud83d'],
  ['a NUL', 'key:a\0b'],
  ['characters beyond Latin-1', 'key:\u{1f600}é\ufffd'],
])('a key with %s is known again when the store was opened anew', async (_, key) => {
  const path = storePath();
  const before = await freshStore(path);
  await before.accept(newDelivery('dlv-1', { dedupeKeys: [key] }));
  await before.recordOutcome(outcome('dlv-1', { status: 'processed' }));
  await before.close();
  const store = await freshStore(path);
  // Until the index was read.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const again = await store.accept(newDelivery('dlv-2', { dedupeKeys: [key] }));
  expect(again).toEqual({ status: 'duplicate', duplicateOf: 'dlv-1' });
});
