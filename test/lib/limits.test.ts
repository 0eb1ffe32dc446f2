import { expect, test } from 'vitest';
import { createTokenBucket } from '../../src/lib/limits.ts';

test('a burst goes through, then as many as come back, and a pause fills no more than the bucket', () => {
  let now = 1_000;
  const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, () => now);
  const taken = (tries: number) =>
    Array.from({ length: tries }, () => bucket.take()).filter((wait) => wait === 0).length;
  expect(taken(5)).toBe(3);
  expect(bucket.take()).toBeCloseTo(100);
  now += 100;
  expect(taken(5)).toBe(1);
  now += 1_000;
  expect(taken(50)).toBe(3);
  now += 3_600_000;
  expect(taken(50)).toBe(3);
});
