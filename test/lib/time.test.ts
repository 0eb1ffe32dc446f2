import { expect, test } from 'vitest';
import { fullJitter, pause } from '../../src/lib/time.ts';

const at = (attempt: number, random: number) =>
  fullJitter(attempt, { baseMs: 1_000, capMs: 30_000, random: () => random });

test('the longest wait doubles from the base up to the cap', () => {
  expect([0, 1, 2, 3, 4, 5, 50, 2_000].map((attempt) => at(attempt, 0.999_999))).toEqual([
    ...[999, 1_999, 3_999, 7_999, 15_999, 29_999, 29_999, 29_999],
  ]);
});

test('every wait down to none may come, so that those who lost a server together do not come back together', () => {
  expect(at(10, 0)).toBe(0);
  expect(at(10, 0.5)).toBe(15_000);
});

test('a pause tells whether the time passed or the signal ended it', async () => {
  const stop = new AbortController();
  expect(await pause(1, stop.signal)).toBe(true);
  const long = pause(60_000, stop.signal);
  stop.abort();
  expect(await long).toBe(false);
  expect(await pause(60_000, stop.signal)).toBe(false);
});
