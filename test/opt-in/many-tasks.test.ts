import { expect, test } from 'vitest';
import { createTask } from '../../src/tasks/create.ts';
import { repairFiles } from '../../src/tasks/sync.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { storeFinished } from '../tasks/many-support.ts';

const FINISHED = 10_000;

/** The quickest of 20 creations: what the work costs when nothing else is in the way. */
async function costOfOne({ context }: TestEngine): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const start = performance.now();
    await createTask(context, { prompt: 'One more' }, 'cli', 'here');
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

test('after 10,000 finished tasks a new one costs what the first did', async () => {
  const first = await costOfOne(await startEngine());
  const engine = await startEngine();
  await storeFinished(engine, FINISHED);
  await repairFiles(engine.context);
  const later = await costOfOne(engine);
  console.log(
    `a new task, quickest of 20: ${first.toFixed(1)} ms in an empty store, ${later.toFixed(1)} ms after ${FINISHED} finished ones`,
  );
  expect(later).toBeLessThan(3 * first + 5);
});
