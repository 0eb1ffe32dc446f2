import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskDetails } from '../../src/task-views.ts';
import type { TaskView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';

test('task: created, started, failed, retried and completed without a server', async () => {
  const sandbox = await sandboxForTest({ files: { 'report.md': '# All done\n' } });
  const { id } = await tellJson<TaskView>(sandbox, 'task', 'create', 'Look at it', '--agent', 'planning');
  expect((await tell(sandbox, 'task', 'start', id)).stdout).toMatch(/^status +running$/m);
  await tellJson(sandbox, 'task', 'fail', id, '--reason', 'no network', '--cost-usd', '0.5');
  await tellJson(sandbox, 'task', 'retry', id);
  await tellJson(sandbox, 'task', 'complete', id, '--result-file', 'report.md', '--cost-usd', '0.25');
  const shown = await tellJson<TaskDetails>(sandbox, 'task', 'show', id);
  expect(shown).toMatchObject({ status: 'completed', result: '# All done\n', error: null, cost_usd: 0.75 });
  expect(shown.transitions.map(({ event, actor }) => `${event} ${actor}`)).toEqual([
    'create cli',
    'start cli',
    'fail cli',
    'retry cli',
    'complete cli',
  ]);
  expect((await tell(sandbox, 'task', 'show', id)).stdout).toMatch(/## Result\n\n {2}# All done/);
});

test('errors: each has its exit code and says what is wrong', async () => {
  const sandbox = await sandboxForTest();
  const { id } = await tellJson<TaskView>(sandbox, 'task', 'create', 'Look at it', '--requires-approval');
  const cases: readonly [readonly string[], number, string][] = [
    [['task', 'start', id], 1, 'it waits for approval'],
    [['task', 'complete', 'task-none'], 4, `there is no task task-none in ${sandbox.dataFolder}`],
    [['task', 'create', 'x', '--parent', 'task-none'], 4, 'there is no task task-none'],
    [['task', 'create'], 2, 'a task needs a prompt'],
    [['task', 'create', 'x', '--parent', id, '--external-id', 'jira:A-1'], 2, 'leave out the external id'],
    [['task', 'complete', id, '--cost-usd', '-1'], 2, 'It must be a number from 0'],
    [['task', 'complete', id, '--result', 'a', '--result-file', 'b'], 2, 'give one of them'],
    [['flow', 'show', 'flow-none'], 4, `there is no flow flow-none in ${sandbox.dataFolder}`],
    [['conversation', 'show', 'conv-none'], 4, 'there is no conversation conv-none'],
  ];
  for (const [args, code, message] of cases) {
    const told = await tell(sandbox, ...args);
    expect([told.code, told.stderr], args.join(' ')).toEqual([code, expect.stringContaining(message)]);
  }
});

test('task show: lists what a task waits for, with a failed task’s status', async () => {
  const sandbox = await sandboxForTest();
  const first = await tellJson<TaskView>(sandbox, 'task', 'create', 'First');
  const second = await tellJson<TaskView>(sandbox, 'task', 'create', 'Second', '--depends-on', first.id);
  await tellJson(sandbox, 'task', 'fail', first.id);
  const shown = await tell(sandbox, 'task', 'show', second.id);
  expect(shown.stdout).toMatch(new RegExp(`^waits for +${first.id} failed First$`, 'm'));
});

test('sync: prints the folder of the files, or why there are none', async () => {
  const sandbox = await sandboxForTest();
  const { id } = await tellJson<TaskView>(sandbox, 'task', 'create', 'Look at it');
  expect(await tellJson(sandbox, 'sync')).toEqual({
    list_folder: join(sandbox.claudeFolder, 'tasks/hookctl'),
    off: null,
    tasks: 1,
    unsynced: [],
  });
  const away = { ...sandbox, env: { ...sandbox.env, CLAUDE_CONFIG_DIR: '' } };
  const told = await tell(away, 'sync');
  expect(told.code).toBe(1);
  expect(told.stdout).toContain(`${id}  ${sandbox.home}/.claude does not exist`);
});

test('claude install: adds two variables and keeps the rest; uninstall removes only what install added', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': 'claudeTasks: { list: shop }\n' } });
  const path = join(sandbox.project, '.claude/settings.local.json');
  const theirs =
    '{\n    "permissions": { "allow": ["Bash"] },\n    "env": { "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1", "A": "b" }\n}\n';
  await mkdir(dirname(path));
  await writeFile(path, theirs);
  for (const changed of [['CLAUDE_CODE_TASK_LIST_ID'], []]) {
    expect(await tellJson(sandbox, 'claude', 'install')).toEqual({ path, list: 'shop', changed });
  }
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    permissions: { allow: ['Bash'] },
    env: { CLAUDE_CODE_ENABLE_TODO_TOOLS: '1', A: 'b', CLAUDE_CODE_TASK_LIST_ID: 'shop' },
  });
  expect(await tellJson(sandbox, 'claude', 'status')).toMatchObject({ list: 'shop', installed: true });
  expect(await tellJson(sandbox, 'claude', 'uninstall')).toMatchObject({
    changed: ['CLAUDE_CODE_TASK_LIST_ID'],
  });
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(JSON.parse(theirs));
  expect(await tellJson(sandbox, 'claude', 'uninstall')).toMatchObject({ changed: [] });
});

test('claude install: refuses another list and invalid JSON, and changes neither', async () => {
  const sandbox = await sandboxForTest();
  const path = join(sandbox.project, '.claude/settings.local.json');
  await mkdir(dirname(path));
  for (const [text, message] of [
    ['{"env":{"CLAUDE_CODE_TASK_LIST_ID":"mine"}}', 'sets CLAUDE_CODE_TASK_LIST_ID to "mine" already'],
    ['{"env":', "can't be read"],
    ['[]', 'holds no JSON object'],
  ] as const) {
    await writeFile(path, text);
    const told = await tell(sandbox, 'claude', 'install');
    expect([told.code, told.stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(await readFile(path, 'utf8')).toBe(text);
  }
});
