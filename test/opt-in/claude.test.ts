import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTask } from '../../src/tasks/create.ts';
import { followClaude } from '../../src/tasks/follow.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { claudeSchema } from '../tasks/claude/support.ts';
import { headless, inTerminal } from './claude-session.ts';
import { type MessagesApi, startMessagesApi, type ToolCall } from './messages-api.ts';

/** A headless session on the engine's list, in which the model makes these calls. */
async function session({ folder }: TestEngine, script: readonly ToolCall[]): Promise<MessagesApi> {
  const api = await apiForTest(script);
  await headless(folder, api);
  return api;
}

async function apiForTest(script: readonly ToolCall[]): Promise<MessagesApi> {
  const api = await startMessagesApi(script);
  onTestFinished(() => api.close());
  return api;
}

function following(engine: TestEngine): void {
  const follower = followClaude(engine.context, {
    where: 'here',
    changed: () => undefined,
    broken: (error) => console.error(error),
  });
  onTestFinished(() => follower.close());
}

const list = ({ folder: root }: TestEngine) => join(root, 'claude/tasks/hookctl');

test('Claude Code lists hookctl’s tasks, reads one and completes one, and hookctl follows', async () => {
  const engine = await startEngine();
  following(engine);
  const { context } = engine;
  const first = await createTask(context, { prompt: 'Say why the login fails' }, 'cli', 'here');
  const second = await createTask(context, { prompt: 'Fix it', dependsOn: [first.id] }, 'cli', 'here');
  const api = await session(engine, [
    { name: 'TaskList', input: {} },
    { name: 'TaskGet', input: { taskId: '2' } },
    { name: 'TaskUpdate', input: { taskId: '2', status: 'in_progress' } },
    { name: 'TaskUpdate', input: { taskId: '2', status: 'completed' } },
    { name: 'TaskList', input: {} },
  ]);
  const [listed, read, , , after] = api.results;
  expect(listed).toContain(`#2 [pending] task hookctl:${first.id}`);
  expect(listed).toContain(`#3 [pending] task hookctl:${second.id} [blocked by #2]`);
  expect(listed).not.toContain('Kept by hookctl');
  expect(read).toContain(`hookctl task: ${first.id}`);
  expect(after).toContain('#2 [completed]');
  await eventually('the task to follow', () => context.store.task(first.id)?.status === 'completed');
  expect(context.store.transitions(first.id).at(-1)).toMatchObject({ event: 'complete', actor: 'claude' });
  expect(context.store.task(second.id)?.status).toBe('queued');
});

test('60 tasks made by Claude Code while hookctl writes 500: none is lost', async () => {
  const engine = await startEngine();
  const calls = Array.from({ length: 60 }, (_, index) => ({
    name: 'TaskCreate',
    input: { subject: `Claude ${index}`, description: 'x' },
  }));
  const writing = async () => {
    for (let round = 0; round < 50; round += 1) {
      const ten = Array.from({ length: 10 }, (_, index) =>
        createTask(engine.context, { prompt: `hookctl ${round} ${index}` }, 'cli', 'here'),
      );
      await Promise.all(ten);
    }
  };
  const [api] = await Promise.all([session(engine, calls), writing()]);
  expect(api.results.filter((result) => /created successfully/.test(result))).toHaveLength(60);
  const names = (await readdir(list(engine))).filter((name) => /^\d+\.json$/.test(name));
  const files = await Promise.all(
    names.map(async (name) =>
      claudeSchema.parse(JSON.parse(await readFile(join(list(engine), name), 'utf8'))),
    ),
  );
  const subjects = new Set(files.map(({ subject }) => subject));
  expect([...subjects].filter((subject) => subject.startsWith('Claude '))).toHaveLength(60);
  expect([...subjects].filter((subject) => subject.startsWith('task hookctl:'))).toHaveLength(500);
  expect(existsSync(join(list(engine), '.lock.lock'))).toBe(false);
});

test('a finished list stays while a session is open, and without the placeholder entry Claude Code wipes it', async () => {
  const engine = await startEngine();
  following(engine);
  const { context } = engine;
  const tasks = [
    await createTask(context, { prompt: 'Say why the login fails' }, 'cli', 'here'),
    await createTask(context, { prompt: 'Fix it' }, 'cli', 'here'),
  ];
  const finish = ['2', '3'].map((taskId) => ({ name: 'TaskUpdate', input: { taskId, status: 'completed' } }));
  const api = await apiForTest(finish);
  const session = await inTerminal(engine.folder, api);
  await eventually(
    'hookctl to follow',
    () => tasks.every(({ id }) => context.store.task(id)?.status === 'completed'),
    60_000,
  );
  await eventually('the session to be told', () => api.results.length === finish.length);

  // Begun later and wiped: so the time after which the other list would have gone is over.
  const control = await homeWithoutKeeper(await readdir(list(engine)), list(engine));
  const other = await inTerminal(control, await apiForTest([{ name: 'TaskList', input: {} }]));
  await eventually(
    'Claude Code to wipe the control',
    async () => (await taskNames(join(control, 'claude/tasks/hookctl'))).length === 0,
    60_000,
  );
  expect([session.running(), other.running()]).toEqual([true, true]);
  expect(await taskNames(list(engine))).toEqual(['1.json', '2.json', '3.json']);
  for (const { id } of tasks) {
    expect(context.store.transitions(id).map(({ event }) => event)).not.toContain('delete');
  }
});

/** A home with the finished tasks of a list, but for its keeper. */
async function homeWithoutKeeper(names: readonly string[], from: string): Promise<string> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'hookctl-no-keeper-')));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const to = join(home, 'claude/tasks/hookctl');
  await mkdir(to, { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const file = claudeSchema.parse(JSON.parse(await readFile(join(from, name), 'utf8')));
    if (file.metadata?._internal !== true) await writeFile(join(to, name), JSON.stringify(file, null, 2));
  }
  expect(await taskNames(to)).toEqual(['2.json', '3.json']);
  return home;
}

async function taskNames(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => /^\d+\.json$/.test(name)).sort();
}
