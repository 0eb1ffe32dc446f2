import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lock } from 'proper-lockfile';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBatchQueue } from '../../../src/tasks/claude/batch-queue.ts';
import { aTask, createScene, type Scene, someTasks } from './support.ts';

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.remove());

async function write(kind: 'hookctl' | 'claude', prefix: string, count: number): Promise<void> {
  await promisify(execFile)(process.execPath, [WRITER, kind, scene.configDir, prefix, String(count)]);
}

async function expectNoLitter(): Promise<void> {
  const names = [...(await readdir(scene.tasksDir)), ...(await readdir(scene.listDir))];
  expect(names.filter((name) => /\.tmp$|\.lock\.lock$|\.json\.lock$/.test(name))).toEqual([]);
}

test('two processes write 200 tasks at once: no number twice, none lost, one keeper', async () => {
  await Promise.all([write('hookctl', 'a', 100), write('hookctl', 'b', 100)]);
  const expected = [...someTasks('a', 100), ...someTasks('b', 100)].map(({ id }) => id).sort();
  expect([...(await scene.listedIds())].sort()).toEqual(expected);
  expect(await scene.list()).toHaveLength(201);
  expect((await readdir(scene.tasksDir)).filter((name) => name.startsWith('claude-task-'))).toHaveLength(200);
  await expectNoLitter();
}, 30_000);

test('Claude Code creates tasks while hookctl does: nothing is lost on either side', async () => {
  const claude = await scene.open();
  const creating = write('claude', 'by-claude', 30);
  let isCreating = true;
  const done = creating.finally(() => {
    isCreating = false;
  });
  const ids: string[] = [];
  do {
    const task = aTask(`task-${ids.length}`);
    ids.push(task.id);
    expect(await claude.project([task])).toMatchObject([{ unsynced: null }]);
  } while (isCreating);
  await done;

  expect([...(await scene.listedIds())].sort()).toEqual([...ids].sort());
  const subjects = (await scene.list()).map(({ subject }) => subject);
  expect(subjects.filter((subject) => subject.startsWith('by-claude'))).toHaveLength(30);
  expect(subjects).toHaveLength(ids.length + 31);
  await expectNoLitter();
}, 30_000);

test('calls made while the list is locked share one lock, and the newest state of a task wins', async () => {
  const claude = await scene.open();
  const release = await lock(join(scene.listDir, '.lock'));
  const calls = someTasks('a', 100).map((task) => claude.project([task]));
  calls.push(claude.project([aTask('task-a-7', { status: 'running' })]));

  let lockings = 0;
  const watcher = watch(scene.listDir, (event, name) => {
    if (event === 'rename' && name === '.lock.lock') lockings += 1;
  });
  try {
    await release();
    const notes = (await Promise.all(calls)).flat();
    expect(new Set(notes.map(({ claudeList }) => claudeList?.number)).size).toBe(100);
    // Gone by our hand, made, and gone again.
    await vi.waitFor(() => expect(lockings).toBe(3));
  } finally {
    watcher.close();
  }
  expect(await scene.entryOf('task-a-7')).toMatchObject({ status: 'in_progress' });
});

test('a batch that is done does not wait for those that came after it', async () => {
  const second = Promise.withResolvers<void>();
  let runs = 0;
  const batches = createBatchQueue<string>(async (intake) => {
    const ids = intake.take().map(({ id }) => id);
    runs += 1;
    await (runs === 1 ? Promise.resolve() : second.promise);
    return new Map(ids.map((id) => [id, id]));
  });
  const first = batches.add([aTask('task-a')]);
  const later = batches.add([aTask('task-b')]);
  expect(await first).toEqual(['task-a']);
  second.resolve();
  expect(await later).toEqual(['task-b']);
});

test('a start does not wait for a lock that somebody left behind', async () => {
  await scene.open();
  await rm(join(scene.listDir, '1.json'));
  const release = await lock(join(scene.listDir, '.lock'));
  const claude = await scene.open();
  expect(claude.state.on).toBe(true);
  expect(await scene.list()).toEqual([]);
  const projected = claude.project([aTask('task-a')]);
  await release();
  expect(await projected).toMatchObject([{ claudeList: { number: 2 }, unsynced: null }]);
});

test('a lock that is held for too long leaves the task unsynced, and the next write repairs it', async () => {
  const claude = await scene.open({ lockPatienceMs: 100 });
  const release = await lock(join(scene.listDir, '.lock'));
  const reason = `another program holds a lock in ${scene.listDir}`;
  expect(await claude.project([aTask('task-a')])).toEqual([
    { taskId: 'task-a', claudeTaskId: 'claude-task-task-a', claudeList: null, unsynced: reason },
  ]);
  expect(claude.state).toEqual({ on: false, reason });
  await release();
  expect(await claude.repair([aTask('task-a')])).toMatchObject([{ unsynced: null }]);
  expect(claude.state.on).toBe(true);
});

test('an entry that Claude Code is updating leaves only its own task unsynced', async () => {
  const claude = await scene.open({ lockPatienceMs: 100 });
  await claude.project([aTask('task-a')]);
  const release = await lock(join(scene.listDir, '2.json'));
  const running = aTask('task-a', { status: 'running' });
  expect(await claude.project([running, aTask('task-b')])).toMatchObject([
    { claudeList: { number: 2 }, unsynced: expect.stringContaining('holds a lock') },
    { claudeList: { number: 3 }, unsynced: null },
  ]);
  await release();
  expect(await claude.project([running])).toMatchObject([{ unsynced: null }]);
  expect(await scene.entryOf('task-a')).toMatchObject({ status: 'in_progress' });
});
