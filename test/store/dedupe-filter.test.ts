import { expect, onTestFinished, test, vi } from 'vitest';
import { openDedupe } from '../../src/store/local/log/dedupe.ts';
import type { Sql } from '../../src/store/local/sql.ts';

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
        .map((key) => ({ scope: 'github', key }));
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
