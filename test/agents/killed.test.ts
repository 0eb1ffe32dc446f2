import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Task } from '../../src/types.ts';
import { cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';
import { installCounted, MANY_YAML, manyTasks, violations } from './many.ts';
import { dumpsIn, installAgent, isAlive } from './support.ts';

const project = async (yaml: string): Promise<Sandbox> => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': yaml } });
  installAgent(sandbox.project);
  return sandbox;
};

test('a run of a killed server is interrupted by the next start, and nothing of it is left', async () => {
  const sandbox = await project(`agents:
  brain: { use: command, program: ./fake-agent }
  again: { use: command, program: ./fake-agent, rerunOnCrash: true }\n`);
  const server = await serverForTest(sandbox);
  const make = (prompt: string, agent: string) =>
    expectJson<{ id: string }>(201, server, 'POST', '/api/tasks', { body: { prompt, agent } });
  const once = await make('A\ndo: stubborn', 'brain');
  const twice = await make('B\ndo: hang', 'again');
  await eventually('both to run', () => dumpsIn(sandbox.project).length === 2);
  const pids = dumpsIn(sandbox.project).map(({ pid }) => pid);
  await server.stop('SIGKILL');
  expect(pids.map(isAlive)).toEqual([true, true]);
  expect(readStore(sandbox, (store) => store.openRuns()).map(({ state }) => state)).toEqual([
    'running',
    'running',
  ]);

  const next = await serverForTest(sandbox);
  await eventually('both to be interrupted', () =>
    [once, twice].every(
      ({ id }) => readStore(sandbox, (store) => store.runsOfTask(id))[0]?.state === 'interrupted',
    ),
  );
  const line = await eventually('the line', () =>
    next.lines().find(({ type, state }) => type === 'run' && state === 'interrupted'),
  );
  expect(line.reason).toMatch(/^hookctl ended while it ran; repeat it: hookctl task retry task-/);
  await eventually('what was left to end', () => pids.every((pid) => !isAlive(pid)));

  const task = (id: string) => readStore(sandbox, (store) => store.task(id)) as Task;
  expect(task(once.id)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('hookctl task retry'),
  });
  await eventually('the second to be repeated', () => dumpsIn(sandbox.project).length === 3);
  expect(readStore(sandbox, (store) => store.runsOfTask(once.id))).toHaveLength(1);
  await next.stop();
  expect(readStore(sandbox, (store) => store.runsOfTask(twice.id)).map(({ state }) => state)).toEqual([
    'interrupted',
    'interrupted',
  ]);
});

test('30 tasks over 6 conversations, the server killed meanwhile: never two of one, in order, within limits', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': MANY_YAML } });
  installCounted(sandbox);
  const first = await serverForTest(sandbox);
  const tasks = manyTasks(30, 6);
  for (const body of tasks) await expectJson(201, first, 'POST', '/api/tasks', { body });
  const done = () => readStore(sandbox, (store) => store.countsByTaskStatus()).completed ?? 0;
  await eventually('some to be done', () => done() > 8);
  await first.stop('SIGKILL');
  const before = done();
  expect(before).toBeLessThan(tasks.length);
  await serverForTest(sandbox);
  await eventually('all to be done', () => done() === tasks.length, 40_000);
  expect(violations(sandbox)).toEqual([]);
});

test('a person sees what runs, what it says and how to go on by hand', async () => {
  const sandbox = await project('agents: { brain: { use: claude, program: ./fake-agent } }\n');
  const server = await serverForTest(sandbox);
  const make = (body: object) => expectJson<{ id: string }>(201, server, 'POST', '/api/tasks', { body });
  const { id } = await make({ prompt: 'Look\ndo: wait go' });
  const next = await make({ prompt: 'Next', parent_task_id: id });
  await eventually('it to run', () => existsSync(join(sandbox.project, 'sessions')));
  const following = cli(sandbox, 'task', 'logs', '-f', id);
  expect((await cli(sandbox, 'task', 'show', id)).stdout).toMatch(/^run +run-\w+ +running$/m);
  const { stdout: list } = await cli(sandbox, 'task', 'list');
  expect(list).toMatch(new RegExp(`${next.id}.*queued.*its conversation has a run`));
  const listed = await expectJson<{ items: { id: string; run: unknown }[] }>(
    200,
    server,
    'GET',
    '/api/tasks',
  );
  expect(listed.items.find((task) => task.id === next.id)?.run).toMatchObject({ state: 'waiting' });
  await cli(sandbox, 'task', 'logs', next.id).then(({ code, stderr }) => {
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('has not run yet: its conversation has a run'),
    ]);
  });
  writeFileSync(join(sandbox.project, 'go'), '');
  const { stdout: said, code } = await following;
  expect(code).toBe(0);
  expect(said).toMatch(/Looking\.\n.*→ Bash \{"command":"npm test"\}\n.*completed\n$/);

  const { stdout: shown } = await cli(sandbox, 'task', 'show', id);
  const session = readFileSync(join(sandbox.project, 'sessions'), 'utf8').split('\n')[0];
  for (const line of [
    /^run {6}run-\w+ completed$/m,
    new RegExp(`^folder +${sandbox.project}$`, 'm'),
    /^command +\S+fake-agent -p --output-format stream-json --verbose --session-id /m,
    /^exit +status 0$/m,
    /^cost +\$0\.2500, 1100 tokens in, 20 out, 3 turns$/m,
    new RegExp(`^session +${session}$`, 'm'),
    new RegExp(`^ {2}cd ${sandbox.project} && CLAUDE_CONFIG_DIR=\\S+ ./fake-agent --resume ${session}$`, 'm'),
    /^refused +Bash \{"command":"rm -rf \/"\}$/m,
  ]) {
    expect(shown.replace(/ {2}/g, '  ')).toMatch(line);
  }
  const { runs } = await expectJson<{ runs: object[] }>(200, server, 'GET', `/api/tasks/${id}`);
  expect(runs).toMatchObject([{ state: 'completed', session_id: session, cost_usd: 0.25 }]);
  // Without those that tell what a run says meanwhile.
  const states = server
    .lines()
    .filter(({ type, task_id: of, progress }) => type === 'run' && of === id && progress === undefined);
  expect(states.map(({ state }) => state)).toEqual(['running', 'completed']);
  expect((await ask(server, 'GET', '/api/tasks/nope')).status).toBe(404);
});
