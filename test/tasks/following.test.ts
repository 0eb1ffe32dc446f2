import { mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTask, type TaskRequest } from '../../src/tasks/create.ts';
import { followClaude } from '../../src/tasks/follow.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import type { Task, TaskEvent, TaskStatus } from '../../src/types.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type ClaudeFile, claudeSchema } from './claude/support.ts';

/** An engine that follows its list, with Claude Code's view of it. */
async function scene() {
  const engine = await startEngine();
  const { context } = engine;
  const list = join(engine.folder, 'claude/tasks/hookctl');
  const broken: unknown[] = [];
  const follower = followClaude(context, {
    where: 'the folder',
    changed: () => undefined,
    broken: (error) => broken.push(error),
  });
  onTestFinished(async () => {
    await follower.close();
    expect(broken).toEqual([]);
  });
  const entry = (task: Task) => entryOf(list, task.id);
  return {
    ...engine,
    list,
    entry,
    create: (request: Partial<TaskRequest> = {}) =>
      createTask(context, { prompt: 'Look at it', ...request }, 'cli', 'the folder'),
    change: ({ id }: Task, event: TaskEvent) =>
      changeTask(context, id, event, { actor: 'cli' }, 'the folder'),
    /** As Claude Code writes: the whole file, nothing else changed. */
    async set(task: Task, status: ClaudeFile['status']) {
      // Another entry may just be half written by the same means.
      const file = await eventually('the entry to be whole', () => entry(task).catch(() => null));
      await writeFile(join(list, `${file.id}.json`), JSON.stringify({ ...file, status }, null, 2));
    },
    /** In the store and, after that, in the list. */
    async becomes(task: Task, status: TaskStatus) {
      await eventually(`${task.id} to be ${status}`, () => context.store.task(task.id)?.status === status);
      const isShown = async () => (await entry(task)).metadata?.state === status;
      await eventually(`the entry of ${task.id} to say ${status}`, () => isShown().catch(() => false));
    },
    history: (task: Task) =>
      context.store.transitions(task.id).map(({ event, to, actor }) => `${event} ${to} ${actor}`),
  };
}

async function entryOf(list: string, taskId: string): Promise<ClaudeFile> {
  const found = (await entries(list)).filter(({ metadata }) => metadata?.orchestration_task_id === taskId);
  if (found[0] === undefined || found.length > 1) throw new Error(`${taskId} has ${found.length} entries`);
  return found[0];
}

async function entries(list: string): Promise<readonly ClaudeFile[]> {
  const names = (await readdir(list)).filter((name) => /^\d+\.json$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(list, name), 'utf8')));
  return texts.map((text) => claudeSchema.parse(JSON.parse(text)));
}

/** Whether a task's entry is there; false also while the folder is away. */
function isListed({ list }: Pick<Scene, 'list'>, { id }: Task): Promise<boolean> {
  return entryOf(list, id).then(
    () => true,
    () => false,
  );
}

type Scene = Awaited<ReturnType<typeof scene>>;

test('what Claude Code sets in the list becomes a step of the task', async () => {
  const claude = await scene();
  const task = await claude.create();
  await claude.set(task, 'in_progress');
  await claude.becomes(task, 'running');
  await claude.set(task, 'pending');
  await claude.becomes(task, 'queued');
  await claude.set(task, 'completed');
  await claude.becomes(task, 'completed');
  expect(claude.history(task)).toEqual([
    'create queued cli',
    'start running claude',
    'release queued claude',
    'complete completed claude',
  ]);
  expect((await claude.entry(task)).metadata?.outcome).toBe('completed');
});

test('a finished task that is reopened or deleted in the list stays finished, and that is recorded once', async () => {
  const claude = await scene();
  const task = await claude.create();
  await claude.change(task, 'complete');
  await claude.set(task, 'in_progress');
  const reopened = () => claude.history(task).at(-1) === 'reopen completed claude';
  await eventually('the reopening to be recorded', reopened);
  await claude.set(task, 'in_progress');
  await unlink(join(claude.list, `${(await claude.entry(task)).id}.json`));
  await eventually('the deletion', () => claude.history(task).at(-1) === 'delete completed claude');
  expect(claude.history(task)).toEqual([
    'create queued cli',
    'complete completed cli',
    'reopen completed claude',
    'delete completed claude',
  ]);
});

test('an open task that is deleted from the list comes back', async () => {
  const claude = await scene();
  const task = await claude.create();
  await eventually('the list to be read', () => isListed(claude, task));
  await claude.set(task, 'in_progress');
  await claude.becomes(task, 'running');
  await unlink(join(claude.list, `${(await claude.entry(task)).id}.json`));
  await eventually('the deletion', () => claude.history(task).at(-1) === 'delete running claude');
  await eventually('the entry', () => isListed(claude, task));
  expect((await claude.entry(task)).status).toBe('in_progress');
});

test('an end that Claude Code wrote is not lost when hookctl writes before it has read it', async () => {
  const claude = await scene();
  const tasks = await Promise.all(Array.from({ length: 20 }, () => claude.create()));
  await Promise.all(
    tasks.map(async (task) => {
      await claude.set(task, 'completed');
      await claude.change(task, 'start').catch(() => undefined);
    }),
  );
  for (const task of tasks) await claude.becomes(task, 'completed');
});

test('a failed task holds back what depends on it in the list, too, until that is over', async () => {
  const claude = await scene();
  const first = await claude.create();
  const second = await claude.create({ dependsOn: [first.id] });
  const [one, two] = [await claude.entry(first), await claude.entry(second)];
  expect(two.blockedBy).toEqual([one.id]);
  expect(one.blocks).toEqual([two.id]);
  await claude.change(first, 'fail');
  expect(await claude.entry(first)).toMatchObject({
    status: 'pending',
    subject: expect.stringMatching(/^\[failed\] /),
  });
  await claude.set(second, 'in_progress');
  const refused = () => claude.history(second).at(-1) === 'start queued claude';
  await eventually('the refusal to be recorded', refused);
  await claude.change(second, 'cancel');
  expect((await claude.entry(first)).status).toBe('completed');
});

test.each<[string, (scene: Scene) => Promise<unknown>]>([
  ['removed', ({ list }) => rm(list, { recursive: true })],
  ['moved away', ({ list }) => rename(list, `${list}-away`)],
])('a folder that is %s comes back with the open tasks', async (_, harm) => {
  const claude = await scene();
  const open = await claude.create();
  await harm(claude);
  await eventually('the list to be made again', () => isListed(claude, open)).catch(async (error: Error) => {
    const { isBehind, state } = claude.context.claude;
    const found = await entries(claude.list).catch(String);
    throw new Error(`${error.message}: ${JSON.stringify({ isBehind, state, found })}`);
  });
  await claude.set(open, 'completed');
  await claude.becomes(open, 'completed');
});

test('a link put in place of the folder is not followed; once it is gone the tasks are there again', async () => {
  const claude = await scene();
  const elsewhere = join(claude.folder, 'elsewhere');
  await mkdir(elsewhere);
  await rm(claude.list, { recursive: true });
  await symlink(elsewhere, claude.list);
  const task = await claude.create();
  expect(claude.context.store.task(task.id)?.unsynced).toContain('is a symbolic link');
  expect(await readdir(elsewhere)).toEqual([]);
  await rm(claude.list);
  await eventually('the list to be made again', () => isListed(claude, task));
  await eventually('the note to be gone', () => claude.context.store.task(task.id)?.unsynced === null);
});
