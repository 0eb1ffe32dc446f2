import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aTask, createScene, noted, type Scene, someTasks } from './support.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.remove());

test('a number that was not noted before a crash is found by the task id in the entry', async () => {
  await (await scene.open()).project([aTask('task-a')]);
  const restarted = await scene.open();
  expect(await restarted.repair([aTask('task-a')])).toMatchObject([{ claudeList: { number: 2 } }]);
  expect(await scene.listedIds()).toEqual(['task-a']);
});

test('an entry that vanished comes back under its number, one that was taken by others is left alone', async () => {
  const claude = await scene.open();
  const tasks = [aTask('task-a'), aTask('task-b')];
  const notes = await claude.project(tasks);
  const stored = tasks.map((task, index) => noted(task, notes[index]));
  await rm(join(scene.listDir, '2.json'));
  const foreign = { id: '3', subject: 'Mine', description: '', status: 'pending', blocks: [], blockedBy: [] };
  await writeFile(join(scene.listDir, '3.json'), JSON.stringify(foreign));

  expect(await claude.repair(stored)).toMatchObject([
    { claudeList: { number: 2 } },
    { claudeList: { number: 4 } },
  ]);
  expect(await scene.list()).toMatchObject([
    {},
    {},
    { subject: 'Mine' },
    { metadata: { orchestration_task_id: 'task-b' } },
  ]);
});

test('a half-written entry is read again, an empty one of ours is written again', async () => {
  const claude = await scene.open();
  const task = aTask('task-a');
  const [note] = await claude.project([task]);
  const path = join(scene.listDir, '2.json');
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.slice(0, 40));
  const update = claude.project([{ ...noted(task, note), status: 'running' }]);
  await writeFile(path, whole.replace('"blocks"', '"owner": "late",\n  "blocks"'));
  await update;
  expect(await scene.entryOf('task-a')).toMatchObject({ owner: 'late', status: 'in_progress' });

  await writeFile(path, '');
  await claude.repair([noted(task, note)]);
  expect(await scene.entryOf('task-a')).toMatchObject({ id: '2' });
});

test('numbers go on after .highwatermark, and after all other files in the folder', async () => {
  await mkdir(join(scene.listDir, '70.json'), { recursive: true });
  await writeFile(join(scene.listDir, '.highwatermark'), '60');
  await writeFile(join(scene.listDir, '65.json'), '{"half":');
  await writeFile(join(scene.listDir, 'notes.txt'), 'mine');
  const claude = await scene.open();
  expect(await claude.project([aTask('task-a')])).toMatchObject([{ claudeList: { number: 72 } }]);
  await writeFile(join(scene.listDir, '.highwatermark'), '99');
  expect(await claude.project([aTask('task-b')])).toMatchObject([{ claudeList: { number: 100 } }]);
});

test('a file that appeared without a trace in the change time of the folder is not overwritten', async () => {
  const claude = await scene.open();
  await claude.project([aTask('task-a')]);
  const before = join(scene.root, 'before');
  execFileSync('touch', ['-r', scene.listDir, before]);
  await writeFile(join(scene.listDir, '3.json'), 'mine');
  await writeFile(join(scene.listDir, '9.json'), 'mine');
  execFileSync('touch', ['-r', before, scene.listDir]);
  expect(await claude.project([aTask('task-b'), aTask('task-c')])).toMatchObject([
    { claudeList: { number: 10 } },
    { claudeList: { number: 11 } },
  ]);
  expect(await readFile(join(scene.listDir, '3.json'), 'utf8')).toBe('mine');
});

test('a keeper that was completed or removed is replaced', async () => {
  const claude = await scene.open();
  await rm(join(scene.listDir, '1.json'));
  await claude.project([aTask('task-a')]);
  const keepers = (await scene.list()).filter(({ metadata }) => metadata?._internal === true);
  expect(keepers).toMatchObject([{ status: 'pending' }]);
});

test('the newest 50 finished tasks stay; freed numbers and links do not come back', async () => {
  const claude = await scene.open();
  const finished = someTasks('done', 60).map((task, index) => ({
    ...task,
    status: 'completed' as const,
    completedAt: 1_000 + index,
  }));
  await claude.project([aTask('task-open'), ...finished.slice(0, 50)]);
  const oldest = await scene.entryOf('task-done-0');
  const { id: openNumber } = await scene.entryOf('task-open');
  await scene.edit('task-done-0', (file) => ({ ...file, blocks: [openNumber] }));
  await scene.edit('task-open', (file) => ({ ...file, blockedBy: [oldest.id] }));

  await claude.project(finished.slice(50));
  expect(await scene.listedIds()).toEqual(['task-open', ...finished.slice(10).map(({ id }) => id)]);
  expect(await scene.entryOf('task-open')).toMatchObject({ blockedBy: [] });
  expect(await readFile(join(scene.listDir, '.highwatermark'), 'utf8')).toBe('12');

  const restarted = await scene.open();
  await restarted.repair([aTask('task-open'), ...finished.slice(-50), ...someTasks('new', 1)]);
  expect(await scene.listedIds()).toHaveLength(52);
});

test('finished tasks of another project in the same list are not removed', async () => {
  const other = await scene.open({ project: '/home/dev/other' });
  await other.project(someTasks('theirs', 40).map((task) => ({ ...task, status: 'completed' as const })));
  const claude = await scene.open();
  await claude.project(someTasks('ours', 51).map((task) => ({ ...task, status: 'completed' as const })));
  const ids = await scene.listedIds();
  expect(ids.filter((id) => id.startsWith('task-theirs'))).toHaveLength(40);
  expect(ids.filter((id) => id.startsWith('task-ours'))).toHaveLength(50);
});

test('what a killed hookctl left half written is removed, what may still be in use is not', async () => {
  await scene.open();
  const old = join(scene.listDir, '.7.json.0123456789ab.tmp');
  const oldRecord = join(scene.tasksDir, '.claude-task-task-a.json.0123456789ab.tmp');
  const recent = join(scene.listDir, '.8.json.0123456789ab.tmp');
  await Promise.all([old, oldRecord, recent].map((path) => writeFile(path, '{')));
  await Promise.all([old, oldRecord].map((path) => utimes(path, 1, 1)));
  await (await scene.open()).repair([]);
  expect((await readdir(scene.listDir)).sort()).toEqual(['.8.json.0123456789ab.tmp', '.lock', '1.json']);
  expect(await readdir(scene.tasksDir)).toEqual(['hookctl']);
});

test('an old entry that a power loss emptied or filled with zeros is removed; a new one and other broken ones are not', async () => {
  await scene.open();
  const contents = { '3.json': '', '4.json': '\0\0\0", "id": "4"}', '5.json': '{"id": "5", ', '6.json': '' };
  for (const [name, content] of Object.entries(contents)) await writeFile(join(scene.listDir, name), content);
  for (const name of ['3.json', '4.json', '5.json']) await utimes(join(scene.listDir, name), 1, 1);
  await (await scene.open()).repair([]);
  expect((await readdir(scene.listDir)).sort()).toEqual(['.lock', '1.json', '5.json', '6.json']);
});
