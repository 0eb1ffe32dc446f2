import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { git, repository } from '../agents/repository.ts';
import { startAgents } from '../agents/support.ts';
import { cliJson } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';

const CONVERSATIONS = 20;
const RUNS = 3;

/** Writes down what it does outside of the checkout, too: what of it is in no checkout later was lost. */
const AGENT = `#!/bin/sh
cat > /dev/null
if [ -f busy ] && kill -0 "$(cat busy)" 2> /dev/null; then echo "$PWD" >> PROJECT/met; fi
echo $$ > busy
echo "$HOOKCTL_RUN_ID" >> work.txt && echo "$PWD $HOOKCTL_RUN_ID" >> PROJECT/written
sleep 0.3
rm busy
echo Done.
`;

function installProject(sandbox: Sandbox): void {
  const { project } = sandbox;
  repository(project);
  const program = (name: string, text: string) => {
    writeFileSync(join(project, name), text.replaceAll('PROJECT', project));
    chmodSync(join(project, name), 0o755);
  };
  program('writer', AGENT);
  program('teardown', '#!/bin/sh\nsleep 0.2\necho "$HOOKCTL_WORKSPACE" >> PROJECT/teardowns\n');
  program('setup', '#!/bin/sh\necho "$HOOKCTL_WORKSPACE" >> PROJECT/setups\n');
  writeFileSync(
    join(project, 'webhooks.yml'),
    `agents:
  brain:
    use: command
    program: ./writer
    cwd: code
    concurrency: 6
    rerunOnCrash: true
    workspace: { use: worktree, setup: [${project}/setup], teardown: [${project}/teardown], keepFor: 1s }
runs: { concurrency: 6, perThread: { runs: 1000 }, perDay: { runs: 1000 } }
workspaces: { folder: ${project}/../rooms }\n`,
  );
}

const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);

test(`${CONVERSATIONS} conversations with ${RUNS} runs each, hookctl and agents killed: no two meet, no line is lost, no teardown is left out`, async () => {
  const sandbox = await sandboxForTest();
  installProject(sandbox);
  const { project } = sandbox;
  let server = await serverForTest(sandbox);
  const total = CONVERSATIONS * RUNS;
  for (let number = 0; number < total; number += 1) {
    const body = { prompt: 'Write', external_id: `x:${number % CONVERSATIONS}` };
    await expectJson(201, server, 'POST', '/api/tasks', { body });
  }
  const counts = () => readStore(sandbox, (store) => store.countsByTaskStatus());
  const killAgent = () => {
    const pids = readStore(sandbox, (store) => store.openRuns().flatMap(({ pid }) => pid ?? []));
    const [pid = 0] = pids;
    // Not by a program: some take `-PID` for all processes.
    try {
      if (pid > 1) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  };
  for (const [at, what] of [
    [3, 'server'],
    [8, 'agent'],
    [12, 'agent'],
    [18, 'server'],
    [25, 'agent'],
    [33, 'server'],
  ] as const) {
    await eventually(`${at} to be done`, () => (counts().completed ?? 0) >= at, 120_000);
    if (what === 'agent') killAgent();
    else {
      await server.stop('SIGKILL');
      server = await serverForTest(sandbox);
    }
  }
  await eventually(
    'all to end',
    async () => {
      const failed = readStore(sandbox, (store) => store.tasks({ status: 'failed', limit: 100 }));
      for (const { id } of failed) await ask(server, 'POST', `/api/tasks/${id}/retry`, { body: {} });
      return counts().completed === total;
    },
    240_000,
  );
  expect(linesOf(join(project, 'met'))).toEqual([]);
  const written = linesOf(join(project, 'written')).map((line) => line.split(' '));
  expect(written.length).toBeGreaterThanOrEqual(total);
  expect(new Set(written.map(([folder]) => folder)).size).toBe(CONVERSATIONS);
  const lost = written.filter(([folder = '', run = '']) => !linesOf(join(folder, 'work.txt')).includes(run));
  expect(lost).toEqual([]);

  const made = await cliJson<{ id: string }[]>(sandbox, 'workspace', 'list', '--json');
  expect(made).toHaveLength(CONVERSATIONS);
  const first = await ask(server, 'POST', `/api/workspaces/${made[0]?.id}/remove`, { body: {} });
  expect(first.status).toBe(409);
  // The server is killed while it takes some down; the next one finishes that.
  const removing = made
    .slice(0, 10)
    .map(({ id }) =>
      ask(server, 'POST', `/api/workspaces/${id}/remove`, { body: { force: true } }).catch(() => null),
    );
  await eventually('a teardown', () => linesOf(join(project, 'teardowns')).length > 1);
  await server.stop('SIGKILL');
  await Promise.all(removing);
  server = await serverForTest(sandbox);
  for (const { id } of made)
    await ask(server, 'POST', `/api/workspaces/${id}/remove`, { body: { force: true } });
  await eventually('none to be left', () =>
    readdirSync(join(project, '../rooms')).every(
      (root) => readdirSync(join(project, '../rooms', root)).length === 0,
    ),
  );
  expect(new Set(linesOf(join(project, 'teardowns')))).toEqual(new Set(made.map(({ id }) => id)));
  expect(new Set(linesOf(join(project, 'setups')))).toEqual(new Set(made.map(({ id }) => id)));
  const code = join(project, 'code');
  expect(git(code, 'worktree', 'list').split('\n')).toHaveLength(1);
  expect(git(code, 'branch', '--list', 'hookctl-*')).toBe('');
});

test('a full disk fails the run, leaves nothing, and the task works once there is room', async (context) => {
  let small = '';
  const size = (options: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small]).status === 0;
  const parent = await sandboxForTest();
  small = join(parent.project, 'small');
  mkdirSync(small);
  if (!size('size=2m')) return context.skip('this user may mount nothing');
  onTestFinished(() => void spawnSync('umount', ['-l', small]));
  const engine = await startAgents({
    yaml: `agents: { brain: { use: command, program: ./quick, cwd: code, workspace: worktree } }
workspaces: { folder: ${small} }\n`,
    prepare(folder) {
      repository(folder);
      writeFileSync(join(folder, 'code/large'), Buffer.alloc(5_000_000, 'x'));
      git(join(folder, 'code'), 'add', '.');
      git(join(folder, 'code'), 'commit', '-qm', 'Large');
    },
  });
  const code = join(engine.folder, 'code');
  const task = await engine.task('A');
  expect((await engine.ended(task.id)).state).toBe('failed');
  expect(engine.context.store.task(task.id)?.error).toContain('its disk is full');
  expect(engine.workspaces.list()).toEqual([]);
  expect(git(code, 'worktree', 'list').split('\n')).toHaveLength(1);
  expect(git(code, 'branch', '--list', 'hookctl-*')).toBe('');
  size('remount,size=100m');
  const { changeTask } = await import('../../src/tasks/transition.ts');
  await changeTask(engine.context, task.id, 'retry', { actor: 'cli' }, engine.folder);
  engine.scheduler.wake();
  await eventually('it to be done', () => engine.context.store.task(task.id)?.status === 'completed');
});
