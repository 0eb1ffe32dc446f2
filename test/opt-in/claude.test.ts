import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { listFolderName } from '../../src/tasks/claude/index.ts';
import { createTask } from '../../src/tasks/create.ts';
import { followClaude } from '../../src/tasks/follow.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { claudeSchema } from '../tasks/claude/support.ts';
import { type MessagesApi, startMessagesApi, type ToolCall } from './messages-api.ts';

/*
 * The real Claude Code from npm, in a folder that is thrown away, against a Messages API on loopback that plays a
 * script. Needs the npm registry once, to install it; where that fails the tests fail and say so.
 */

const run = promisify(execFile);
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hookctl-claude-code-'));
  const options = ['--no-audit', '--no-fund', '--prefix', folder];
  await run('npm', ['install', ...options, '@anthropic-ai/claude-code'], { cwd: folder });
  program = join(folder, 'node_modules/.bin/claude');
  const { stdout } = await run(program, ['--version']).catch((error: unknown) => {
    throw new Error(`this machine can't run Claude Code, so nothing was tried with it: ${error}`);
  });
  console.log(`Claude Code ${stdout.trim()}`);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** One headless session of Claude Code on the engine's list, in which the model makes these calls. */
async function session(engine: TestEngine, script: readonly ToolCall[]): Promise<MessagesApi> {
  const api = await startMessagesApi(script);
  onTestFinished(() => api.close());
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: engine.folder,
    CLAUDE_CONFIG_DIR: join(engine.folder, 'claude'),
    CLAUDE_CODE_TASK_LIST_ID: listFolderName('hookctl'),
    CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: 'not-a-key',
  };
  const tools = ['TaskList', 'TaskGet', 'TaskUpdate', 'TaskCreate'];
  const args = ['-p', 'Work on the tasks', '--model', 'claude-sonnet-4-5', '--allowedTools', ...tools];
  const child = run(program, args, { cwd: engine.folder, env, timeout: 240_000 });
  child.child.stdin?.end();
  await child;
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
  expect(listed).toContain('#2 [pending] Say why the login fails');
  expect(listed).toContain('#3 [pending] Fix it [blocked by #2]');
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
  expect([...subjects].filter((subject) => subject.startsWith('hookctl '))).toHaveLength(500);
  expect(existsSync(join(list(engine), '.lock.lock'))).toBe(false);
});
