import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTask } from '../../src/tasks/create.ts';
import { repairFiles } from '../../src/tasks/repair.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';

const FINISHED = 10_000;

/** Stores finished tasks as if they had ended long ago, without their files. */
async function finish({ context }: TestEngine, count: number): Promise<void> {
  const { store, ids } = context;
  const parent = await createTask(context, { prompt: 'The first' }, 'cli', 'here');
  const { flowId, externalId } = parent;
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const id = ids.next('task');
      const title = `Task ${at}`;
      await store.createTask({
        task: {
          ...{ id, title, status: 'queued', agent: 'brain', prompt: title, typed: '' },
          ...{ url: null, syncToClaudeTasks: true, sourceMetadata: {} },
        },
        ...{ source: 'cli', actor: 'cli', parent, dependsOn: [], flowId, externalId, at },
        ...{ newConversationId: ids.next('conv'), startNewConversation: false },
      });
      await store.changeTask({
        ...{ taskId: id, event: 'complete', from: 'queued', to: 'completed', isEnd: true, actor: 'cli', at },
        ...{ reason: null, result: 'Done', error: null, reply: null },
        spent: { costUsd: null, inputTokens: null, outputTokens: null },
      });
    }),
  );
}

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

test('after 10,000 finished tasks the list is small, and a new task costs what the first did', async () => {
  const first = await costOfOne(await startEngine());
  const engine = await startEngine();
  await finish(engine, FINISHED);
  await repairFiles(engine.context);
  const names = await readdir(join(engine.folder, 'claude/tasks/hookctl'));
  // The keeper, the open task, and the last 50 that ended.
  expect(names.filter((name) => name.endsWith('.json'))).toHaveLength(52);
  expect(await costOfOne(engine)).toBeLessThan(3 * first + 5);
});
