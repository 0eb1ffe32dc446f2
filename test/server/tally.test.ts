import { expect, test } from 'vitest';
import { createCounts, createTimes } from '../../src/server/metrics.ts';

test('counts keep their labels apart, up to a bound', () => {
  const counts = createCounts(3);
  for (const name of ['a', 'b', 'a', 'c', 'd', 'e', 'a']) counts.add(name, 'x');
  const seen = counts.entries().map(({ labels, count }) => `${labels.join()} ${count}`);
  expect(seen).toEqual(['a,x 3', 'b,x 1', 'c,x 1', 'other,x 2']);
});

test('times are counted under every bound that they keep', () => {
  const times = createTimes();
  for (const seconds of [0.0004, 0.0005, 0.02, 99]) times.observe(seconds);
  const at = (bound: number) => times.cumulative().find((bucket) => bucket.bound === bound)?.count;
  expect([at(0.0005), at(0.01), at(0.025), at(30), at(Number.POSITIVE_INFINITY)]).toEqual([2, 2, 3, 3, 4]);
  expect(times.sum()).toBeCloseTo(99.0209);
});
