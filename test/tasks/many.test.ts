import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTask } from '../../src/tasks/create.ts';
import { repairFiles } from '../../src/tasks/sync.ts';
import { startEngine } from '../support/engine.ts';
import { storeFinished } from './many-support.ts';

test('after many finished tasks the list holds the open ones and the last 50 that ended', async () => {
  const engine = await startEngine();
  await storeFinished(engine, 500);
  await repairFiles(engine.context);
  const list = join(engine.folder, 'claude/tasks/hookctl');
  const entries = async () => (await readdir(list)).filter((name) => name.endsWith('.json'));
  // The keeper, the open task, and the last 50 that ended.
  expect(await entries()).toHaveLength(52);
  await createTask(engine.context, { prompt: 'One more' }, 'cli', 'here');
  expect(await entries()).toHaveLength(53);
});
