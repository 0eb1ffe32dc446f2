import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listOf } from '../../src/tasks/claude/lists.ts';
import { createTask } from '../../src/tasks/create.ts';
import { followClaude } from '../../src/tasks/follow.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import type { ClaudeFile } from './claude/support.ts';

test('a list of an owner: its tasks are there alone, what is done to it is followed, and a lost list comes back', async () => {
  const engine = await startEngine({
    yaml: 'owners: { ada: { claudeList: adas }, bob: { perDay: { runs: 9 } } }\n',
  });
  const { context } = engine;
  const folderOf = (list: string) => join(engine.folder, 'claude/tasks', list);
  const entriesIn = async (list: string) => {
    const names = (await readdir(folderOf(list))).filter((name) => /^\d+\.json$/.test(name));
    const files = names.map(
      async (name) => JSON.parse(await readFile(join(folderOf(list), name), 'utf8')) as ClaudeFile,
    );
    return (await Promise.all(files)).filter(({ metadata }) => metadata?.orchestration_task_id !== undefined);
  };
  const idsIn = async (list: string) =>
    (await entriesIn(list)).map(({ metadata }) => metadata?.orchestration_task_id).toSorted();
  const make = (owner: string) => createTask(context, { prompt: 'Look at it', owner }, 'cli', 'the folder');
  const [ada, bob, own] = [await make('ada'), await make('bob'), await make('operator')];
  expect(await idsIn('adas')).toEqual([ada.id]);
  expect(await idsIn('hookctl')).toEqual([bob.id, own.id].toSorted());
  expect(context.store.task(ada.id)?.sourceMetadata.claude_list).toMatchObject({ list: 'adas' });

  const broken: unknown[] = [];
  const follower = followClaude(context, {
    where: 'the folder',
    changed: () => undefined,
    broken: (error) => broken.push(error),
  });
  onTestFinished(follower.close);
  for (const [task, list] of [
    [ada, 'adas'],
    [own, 'hookctl'],
  ] as const) {
    const file = (await entriesIn(list)).find(({ metadata }) => metadata?.orchestration_task_id === task.id);
    await writeFile(
      join(folderOf(list), `${file?.id}.json`),
      JSON.stringify({ ...file, status: 'in_progress', owner: 'session' }),
    );
    await eventually(`${task.id} to run`, () => context.store.task(task.id)?.status === 'running');
    expect(await context.claude.list?.claimant(task)).toContain('session');
  }
  const later = await make('ada');
  await rm(folderOf('adas'), { recursive: true });
  await context.claude.repair(
    context.store.projectable(50).filter(({ syncToClaudeTasks }) => syncToClaudeTasks),
  );
  expect(await idsIn('adas')).toEqual([ada.id, later.id].toSorted());
  expect(await idsIn('hookctl')).toEqual([bob.id, own.id].toSorted());
  expect(broken).toEqual([]);
});

test('the list of an owner’s runs: its own, else that of the project', () => {
  const options = { list: 'shop', owners: { ada: { claudeList: 'adas' }, bob: {} } };
  expect(['ada', 'bob', 'operator', 'constructor'].map((owner) => listOf(options, owner))).toEqual([
    ...['adas', 'shop', 'shop', 'shop'],
  ]);
});
