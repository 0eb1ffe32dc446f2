import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPauses, timeSlicer } from '../../src/lib/time-slicer.ts';

/** A clock that only work moves on: how busy the machine is makes no difference. */
let time = 0;
const now = () => time;

function work(ms: number): void {
  time += ms;
}

test('what others wait for has its turn between two pieces, however many of them wait', async () => {
  const inTurns = timeSlicer(now);
  let done = 0;
  const all = Promise.all(
    Array.from({ length: 40 }, async () => {
      await new Promise<void>((resolve) => inTurns(resolve));
      work(1);
      done += 1;
    }),
  );
  const seen: number[] = [];
  while (done < 40) {
    await turn();
    seen.push(done);
  }
  await all;
  const most = Math.max(...seen.map((count, index) => count - (seen[index - 1] ?? 0)));
  expect(most).toBeLessThanOrEqual(4);
});

test('the background keeps up with what takes the thread: its turns are longer than those of the others', async () => {
  const inTurns = timeSlicer(now);
  let done = 0;
  for (let piece = 0; piece < 200; piece += 1)
    inTurns(() => {
      work(0.5);
      done += 1;
    });
  const seen: number[] = [];
  while (done < 200) {
    await turn();
    work(5);
    seen.push(done);
  }
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0)).filter((count) => count > 0);
  expect(Math.max(...steps)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...steps)).toBeLessThanOrEqual(40);
});

test('pieces run in the order in which they came, and those that come while one runs behind them', async () => {
  const inTurns = timeSlicer(now);
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    inTurns(() => {
      order.push(1);
      inTurns(() => order.push(3));
      inTurns(resolve);
    });
    inTurns(() => order.push(2));
  });
  expect(order).toEqual([1, 2, 3]);
});

test('a loop that pauses lets others have their turn every few milliseconds, and does not rest otherwise', async () => {
  const pause = createPauses(now);
  let done = 0;
  const all = (async () => {
    for (; done < 40; done += 1) {
      await pause();
      work(1);
    }
  })();
  const seen: number[] = [];
  while (done < 40) {
    await turn();
    seen.push(done);
  }
  await all;
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(4);
  expect(seen.length).toBeGreaterThanOrEqual(10);
});
