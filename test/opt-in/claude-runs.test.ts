import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { AgentRun } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { startProviderApis } from '../support/provider-apis.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';
import { claudeEnv, headless } from './claude-session.ts';
import { type MessagesApi, startMessagesApi, type Turn } from './messages-api.ts';

/** The real Claude Code as hookctl's agent: everything outside is on loopback. */

const PATIENCE_MS = 90_000;

async function apiForTest(turns: readonly Turn[]): Promise<MessagesApi> {
  const api = await startMessagesApi(turns);
  onTestFinished(() => api.close());
  return api;
}

/** `more`: further settings of the agent. */
async function scene(turns: readonly Turn[], more = '') {
  const api = await apiForTest(turns);
  const github = await startProviderApis();
  onTestFinished(() => github.close());
  const { PATH: _path, HOME: _home, CLAUDE_CONFIG_DIR: _dir, ...model } = claudeEnv('', '', api);
  const sandbox = await sandboxForTest({
    env: { ...model, GITHUB_TOKEN: 't' },
    files: {
      'webhooks.yml': [
        `credentials: { github: { tokenEnv: GITHUB_TOKEN, baseUrl: "${github.url}" } }`,
        `agents: { planning: { use: claude, program: "${inject('claude')}", model: claude-sonnet-4-5, timeout: 2m${more} } }`,
      ].join('\n'),
    },
  });
  const server = await serverForTest(sandbox);
  const ask = async (text: string) => {
    const { id } = await signedPost(server.url, comment(text, { issue: 7 }));
    const run = await eventually('the run to end', () => endedRun(sandbox, id), PATIENCE_MS);
    const task = readStore(sandbox, (store) => store.task(run.taskId));
    if (task === null) throw new Error(`${run.taskId} vanished`);
    const said = await readFile(run.logPath ?? '', 'utf8');
    // The text that is edited in last: until then the comment tells of what is under way.
    const comments = await eventually('the result in its comment', () => {
      const own = github.posts.filter((post) => post.text.includes(task.id));
      return own.some((post) => post.text.includes(`✅ ${task.result}`)) && own;
    });
    return { run, task, said, comments: comments.map((post) => post.text) };
  };
  return { api, sandbox, ask };
}

/** The run of a delivery's task, once it has ended. */
function endedRun(sandbox: Sandbox, deliveryId: string): AgentRun | null {
  return readStore(sandbox, (store) => {
    const [task] = store.tasks({ deliveryId });
    const [run] = task === undefined ? [] : store.runsOfTask(task.id);
    return run === undefined || run.endedAt === null ? null : run;
  });
}

test('G3: a comment is answered by Claude Code in one edited comment; the next one resumes its session, also when that is lost', async () => {
  const { api, sandbox, ask } = await scene([
    {
      calls: [
        { name: 'TaskGet', input: { taskId: '2' } },
        { name: 'TaskUpdate', input: { taskId: '2', status: 'completed' } },
      ],
      says: 'The clock of the login server is wrong.',
    },
    {
      calls: [
        { name: 'mcp__hookctl__get_task', input: {} },
        { name: 'mcp__hookctl__complete_task', input: { result: 'The clock is right again.' } },
      ],
      says: 'That was all.',
    },
  ]);

  const first = await ask('@agent analyze why the login fails');
  expect(first.task).toMatchObject({
    status: 'completed',
    result: 'The clock of the login server is wrong.',
  });
  expect(first.comments).toEqual([expect.stringContaining('✅ The clock of the login server is wrong.')]);
  expect(first.said).toContain('completed #2 of the task list');
  expect(first.said).toContain('Claude Code finished its turn');
  expect(first.said).toContain('session ended');
  const steps = readStore(sandbox, (store) => store.transitions(first.task.id));
  expect(steps.filter(({ event }) => event === 'complete')).toHaveLength(1);

  const second = await ask('@agent analyze it again, please');
  expect(second.run.sessionId).toBe(first.run.sessionId);
  expect(api.told).toContain('The clock of the login server is wrong.');
  expect(api.results[0]).toContain(second.task.id);
  expect(second.task).toMatchObject({ status: 'completed', result: 'The clock is right again.' });
  expect(second.comments).toEqual([expect.stringContaining('✅ The clock is right again.')]);
  const done = readStore(sandbox, (store) => store.transitions(second.task.id)).at(-1);
  expect(done).toMatchObject({ event: 'complete', actor: 'mcp' });

  await rm(join(sandbox.claudeFolder, 'projects'), { recursive: true });
  const third = await ask('@agent analyze it once more');
  expect(third.run).toMatchObject({ state: 'completed' });
  expect(third.run.sessionId).not.toBe(first.run.sessionId);
  expect(third.said).toContain(`no longer has session ${first.run.sessionId}`);
  expect(third.comments).toHaveLength(1);
});

test('a tool that is not allowed: Claude Code waits until a person allows it, and goes on without one that is refused', async () => {
  const touch = (file: string) => ({
    name: 'Bash',
    input: { command: `touch ${file}`, description: 'Make it' },
  });
  const { api, sandbox, ask } = await scene(
    [{ calls: [touch('made'), touch('refused')], says: 'One of two.' }],
    ', askPermission: 1m',
  );
  const asked = ask('@agent analyze by making two files');
  const question = (about: string) =>
    eventually(
      `a question about ${about}`,
      () =>
        readStore(sandbox, (store) =>
          store.tasks({ status: 'waiting_approval' }).find(({ prompt }) => prompt.includes(about)),
        ) ?? null,
      PATIENCE_MS,
    );
  await tell(sandbox, 'task', 'approve', (await question('touch made')).id);
  await tell(sandbox, 'task', 'cancel', (await question('touch refused')).id);
  const { task } = await asked;
  expect(task).toMatchObject({ status: 'completed', result: 'One of two.' });
  expect(api.results[1]).toContain('A person refused it.');
  const isThere = (file: string) =>
    readFile(join(sandbox.project, file)).then(
      () => true,
      () => false,
    );
  expect(await Promise.all(['made', 'refused'].map(isThere))).toEqual([true, false]);
});

test('Claude Code lists and completes a task by the tools that `claude install --mcp` registered', async () => {
  const sandbox = await sandboxForTest();
  const bin = join(sandbox.root, 'bin');
  await mkdir(bin);
  const script = join(import.meta.dirname, '../../scripts/dev.js');
  await writeFile(join(bin, 'hookctl'), `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`);
  await chmod(join(bin, 'hookctl'), 0o755);
  const user = { ...sandbox, env: { ...sandbox.env, PATH: `${bin}:${process.env.PATH ?? ''}` } };
  expect((await tell(user, 'claude', 'install', '--mcp')).code).toBe(0);
  const { id } = await tellJson<{ id: string }>(user, 'task', 'create', 'Say why the login fails');
  const calls = [
    { name: 'mcp__hookctl__list_tasks', input: {} },
    { name: 'mcp__hookctl__complete_task', input: { task_id: id, result: 'By hand, over MCP.' } },
    { name: 'mcp__hookctl__complete_task', input: { task_id: 'task-none', result: 'x' } },
  ];
  const api = await apiForTest([{ calls, says: 'Done.' }]);
  await headless(sandbox.project, api, { allowed: ['mcp__hookctl'], env: user.env });
  expect(api.results[0]).toContain(id);
  expect(api.results[2]).toContain('there is no task task-none');
  const task = readStore(sandbox, (store) => store.task(id));
  expect(task).toMatchObject({ status: 'completed', result: 'By hand, over MCP.' });
});
