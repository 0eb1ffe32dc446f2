import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aTask, createScene, noted, type Scene } from './support.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.remove());

test('a list is ready for a session before the first task: folder, lock anchor, hidden pending keeper', async () => {
  const claude = await scene.open();
  expect(claude.state).toEqual({ on: true, tasksDir: scene.tasksDir, listDir: scene.listDir });
  expect((await readdir(scene.listDir)).sort()).toEqual(['.lock', '1.json']);
  expect(await scene.list()).toMatchObject([{ id: '1', status: 'pending', metadata: { _internal: true } }]);

  await scene.open();
  expect(await scene.list()).toHaveLength(1);
});

test('a task becomes an entry that Claude Code accepts, with prompt, links and ids', async () => {
  const claude = await scene.open();
  const notes = await claude.project([aTask('task-a')]);

  expect(notes).toEqual([
    {
      taskId: 'task-a',
      claudeTaskId: 'claude-task-task-a',
      claudeList: { list: 'hookctl', number: 2 },
      unsynced: null,
    },
  ]);
  const entry = await scene.entryOf('task-a');
  expect(entry).toEqual({
    id: '2',
    subject: 'analyze github:acme/shop#42',
    description: expect.stringContaining('Say why the login fails.'),
    activeForm: 'Working on analyze github:acme/shop#42',
    status: 'pending',
    blocks: [],
    blockedBy: [],
    metadata: {
      orchestration_task_id: 'task-a',
      flow_id: 'flow-0123456789abcdef',
      conversation_id: 'conv-1',
      external_id: 'github:acme/shop#42',
      url: 'https://github.com/acme/shop/issues/42',
      state: 'queued',
      written_status: 'pending',
      outcome: null,
      project: '/home/dev/shop',
    },
  });
  expect(entry.description).toContain('https://github.com/acme/shop/issues/42');
  expect(entry.description).toContain('hookctl task: task-a');
  expect(await readFile(join(scene.listDir, '2.json'), 'utf8')).toBe(JSON.stringify(entry, null, 2));
});

test.each([
  ['queued', 'pending', 'analyze github:acme/shop#42', null],
  ['running', 'in_progress', 'analyze github:acme/shop#42', null],
  ['waiting_answer', 'pending', 'analyze github:acme/shop#42', null],
  ['completed', 'completed', 'analyze github:acme/shop#42', 'completed'],
  ['failed', 'completed', '[failed] analyze github:acme/shop#42', 'failed'],
  ['cancelled', 'completed', '[cancelled] analyze github:acme/shop#42', 'cancelled'],
] as const)('%s shows as %s', async (status, listStatus, subject, outcome) => {
  const claude = await scene.open();
  await claude.project([aTask('task-a', { status })]);
  expect(await scene.entryOf('task-a')).toMatchObject({ status: listStatus, subject, metadata: { outcome } });
});

test('a task that waits for approval has a record but no entry', async () => {
  const claude = await scene.open();
  const notes = await claude.project([aTask('task-a', { status: 'waiting_approval' })]);
  expect(notes).toMatchObject([{ claudeTaskId: 'claude-task-task-a', claudeList: null, unsynced: null }]);
  expect(await scene.listedIds()).toEqual([]);
  expect(await scene.record('task-a')).toMatchObject({
    status: 'pending',
    metadata: { state: 'waiting_approval' },
  });
});

test('a record carries parent, result and ids', async () => {
  const claude = await scene.open();
  const done = {
    status: 'failed',
    parentTaskId: 'task-p',
    result: 'half',
    error: 'no',
    completedAt: 5,
  } as const;
  await claude.project([aTask('task-a', done)]);
  expect(await scene.record('task-a')).toMatchObject({
    id: 'claude-task-task-a',
    title: 'Analyze task-a',
    status: 'failed',
    dependencies: ['claude-task-task-p'],
    result: 'half',
    metadata: {
      orchestration_task_id: 'task-a',
      flow_id: 'flow-0123456789abcdef',
      conversation_id: 'conv-1',
    },
  });
});

test('each form can be switched off', async () => {
  const onlyRecord = await scene.open({ listEnabled: false });
  expect(await onlyRecord.project([aTask('task-a')])).toMatchObject([{ claudeList: null, unsynced: null }]);
  expect(await readdir(scene.tasksDir)).toEqual(['claude-task-task-a.json']);

  const onlyList = await scene.open({ recordEnabled: false });
  expect(await onlyList.project([aTask('task-b')])).toMatchObject([{ claudeTaskId: null, unsynced: null }]);
  expect(await readdir(scene.tasksDir)).toEqual(['claude-task-task-a.json', 'hookctl']);

  const off = await scene.open({ listEnabled: false, recordEnabled: false });
  expect(off.state).toEqual({ on: false, reason: expect.stringContaining('switched off') });
  expect(await off.project([aTask('task-c')])).toEqual([]);
});

test('long and hostile text is cut and shown, never a broken file', async () => {
  const claude = await scene.open();
  const externalId = `form:a\u202Eb\n../../${'x'.repeat(200)}`;
  const long = { externalId, prompt: '€'.repeat(2_000_000), result: 'r'.repeat(3_000_000) };
  await claude.project([aTask('task-a', { ...long, status: 'failed', error: 'e'.repeat(100_000) })]);
  const { subject, description } = await scene.entryOf('task-a');
  expect(subject.length).toBeLessThanOrEqual(80);
  expect(subject).toBe('[failed] analyze flow-0123456789abcdef');
  expect(description).toContain('External id: flow-0123456789abcdef');
  expect(Buffer.byteLength(description)).toBeLessThanOrEqual(64 * 1024);
  expect(description).toContain('hookctl task show task-a');
  expect(description).not.toContain('\uFFFD');
  expect(description).toContain('## Result');
});

test('an update keeps number, owner, links and foreign metadata, and appends the result', async () => {
  const claude = await scene.open();
  const task = aTask('task-a');
  const [note] = await claude.project([task, aTask('task-b')]);
  await scene.edit('task-a', (file) => ({
    ...file,
    owner: 'planner',
    blocks: ['3'],
    metadata: { ...(file.metadata as object), note: { by: 'claude' } },
  }));

  await claude.project([{ ...noted(task, note), status: 'completed', result: 'It was DNS.' }]);
  expect(await scene.entryOf('task-a')).toMatchObject({
    id: '2',
    owner: 'planner',
    status: 'completed',
    blocks: ['3'],
    description: expect.stringMatching(/## Result\n\nIt was DNS\.$/),
    metadata: { note: { by: 'claude' }, outcome: 'completed' },
  });
});

test("a status that Claude Code changed stays until hookctl's own state changes", async () => {
  const claude = await scene.open();
  await claude.project([aTask('task-a')]);
  await scene.edit('task-a', (file) => ({ ...file, status: 'in_progress' }));
  await claude.repair([aTask('task-a')]);
  expect(await scene.entryOf('task-a')).toMatchObject({ status: 'in_progress' });
  await claude.project([aTask('task-a', { status: 'failed' })]);
  expect(await scene.entryOf('task-a')).toMatchObject({ status: 'completed' });
});
