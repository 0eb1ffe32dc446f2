import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createBackground } from '../../src/lib/time-slicer.ts';

/** A clock that only work moves on: how busy the machine is makes no difference. */
let time = 0;
const now = () => time;
const { timeSlicer, createPauses } = createBackground(now);

function work(ms: number): void {
  time += ms;
}

test('what others wait for has its turn between two pieces, however many of them wait', async () => {
  const inTurns = timeSlicer();
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
  const inTurns = timeSlicer();
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
  expect(Math.max(...steps)).toBeLessThanOrEqual(61);
});

test('pieces run in the order in which they came, and those that come while one runs behind them', async () => {
  const inTurns = timeSlicer();
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
  const pause = createPauses();
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

test('several kinds of background work share a turn: what others wait for waits for one of them', async () => {
  const slicers = [timeSlicer(), timeSlicer(), timeSlicer()];
  let done = 0;
  for (const inTurns of slicers)
    for (let piece = 0; piece < 40; piece += 1)
      inTurns(() => {
        work(0.5);
        done += 1;
      });
  const seen: number[] = [];
  while (done < 120) {
    await turn();
    seen.push(done);
  }
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0)).slice(2);
  // A turn of 1.5 ms, and one piece of each of the others, so that none of them starves.
  expect(Math.max(...steps)).toBeLessThanOrEqual(5);
});

test('another process on the same core makes no turn longer', async () => {
  let workedMs = 0;
  const background = createBackground(now, () => workedMs);
  const inTurns = background.timeSlicer();
  let done = 0;
  for (let piece = 0; piece < 100; piece += 1)
    inTurns(() => {
      work(0.5);
      workedMs += 0.5;
      done += 1;
    });
  const seen: number[] = [];
  while (done < 100) {
    await turn();
    work(5);
    seen.push(done);
  }
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0)).slice(2);
  expect(Math.max(...steps)).toBeLessThanOrEqual(4);
});
