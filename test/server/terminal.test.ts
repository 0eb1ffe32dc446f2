import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { allHidden, hiddenIn } from '../support/hidden.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForFile, settled, startHumanServe } from '../support/server.ts';

/** Every character that hides or steers, and what a line of a log could be forged with. */
const HOSTILE = `${allHidden().join('')}\u001b]52;c;aGk=\u0007\u001b[2J\r\nforged line\u2028forged line`;
const user = { id: 7, login: `ada${HOSTILE}`, type: 'User' };

let sandbox: Sandbox;
let id: string;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  const server = await serverForFile(sandbox);
  const payload = comment(`@agent analyze ${HOSTILE}`, { title: `title ${HOSTILE}`, user });
  ({ id } = await signedPost(server.url, payload, { deliveryId: 'sent-1' }));
  await settled(sandbox, id);
  await signedPost(server.url, comment(`@agent ${HOSTILE}`, { user }));
  const { code } = await tell(sandbox, 'task', 'create', `typed ${HOSTILE}`, '--title', `title ${HOSTILE}`);
  expect(code).toBe(0);
  await tell(sandbox, 'webhook', 'add', 'github', '--name', 'templates');
  await tell(
    sandbox,
    'webhook',
    'command',
    'add',
    'templates',
    '--text-name',
    'x',
    '--template',
    `t ${HOSTILE}`,
  );
  await signedPost(server.url, comment('x'), { secret: 'wrong', deliveryId: 'd\u0085\u00ad' });
});

/** Command lines that print what senders or people wrote. */
function lines(): readonly (readonly string[])[] {
  const found = readStore(sandbox, (reader) => ({
    tasks: reader.tasks(),
    flow: reader.flows()[0]?.id ?? '',
    conversation: reader.conversations()[0]?.id ?? '',
  }));
  return [
    ['delivery', 'list'],
    ['delivery', 'show', id],
    ['explain', id],
    ['task', 'list'],
    ...found.tasks.map((task) => ['task', 'show', task.id]),
    ['flow', 'list'],
    ['flow', 'show', found.flow],
    ['flow', 'tree', found.flow],
    ['conversation', 'list'],
    ['conversation', 'show', found.conversation],
    ['outbox', 'list'],
    ['webhook', 'list'],
    ['webhook', 'show', 'templates'],
    ['webhook', 'command', 'list', 'templates'],
    ['webhook', 'export', 'templates'],
    ['audit', 'list'],
    ['status'],
  ];
}

test('F16: hookctl api prints what hides or steers as escapes that a reader of JSON takes back', async () => {
  for (const path of [
    '/api/deliveries',
    '/api/tasks',
    `/api/deliveries/${id}`,
    '/api/webhooks',
    '/metrics',
  ]) {
    const { code, stdout, stderr } = await tell(sandbox, 'api', 'GET', path);
    expect([path, code, hiddenIn(stdout + stderr).slice(0, 3)]).toEqual([path, 0, []]);
    if (path === '/api/deliveries') {
      const { items } = JSON.parse(stdout) as { items: { sender: string | null }[] };
      expect(items.some(({ sender }) => sender?.includes('\u202e') === true)).toBe(true);
    }
  }
});

test('F16: task show: no line of a prompt or a result starts in the first column', async () => {
  const { stdout } = await tell(sandbox, 'task', 'create', 'one\nstatus  completed\n## Result', '--json');
  const { id: task } = JSON.parse(stdout) as { id: string };
  await tell(sandbox, 'task', 'complete', task, '--result', 'done\n\n## Error\nforged');
  const shown = (await tell(sandbox, 'task', 'show', task)).stdout;
  expect(shown).toMatch(/^ {2}status {2}completed$/m);
  expect(shown).not.toMatch(/^status {2}completed|^forged/m);
  expect(shown.match(/^## /gm) ?? []).toHaveLength(1);
});

test('no command prints a character that hides or steers, for people or as JSON', async () => {
  let printed = 0;
  for (const line of lines()) {
    for (const args of [line, [...line, '--json']]) {
      const { code, stdout, stderr } = await tell(sandbox, ...args);
      if (code === 2) continue; // has no --json
      expect([args, hiddenIn(stdout + stderr).slice(0, 3)]).toEqual([args, []]);
      expect([args, /^forged line/m.test(stdout + stderr)]).toEqual([args, false]);
      if (args.at(-1) === '--json' && stdout.trim() !== '') {
        for (const text of stdout.startsWith('[') || stdout.startsWith('{\n')
          ? [stdout]
          : stdout.trim().split('\n'))
          JSON.parse(text);
      }
      printed += /U\+202E|\\u202e/.test(stdout) ? 1 : 0;
    }
  }
  expect(printed, 'what is hidden is shown somewhere').toBeGreaterThan(5);
});

test('what is wrong with an argument is said without its characters', async () => {
  for (const args of [
    ['delivery', 'show', `x${HOSTILE}`],
    ['task', 'show', `x${HOSTILE}`],
    ['webhook', 'show', `x${HOSTILE}`],
    ['flow', 'show', `x${HOSTILE}`],
    ['replay', `x${HOSTILE}`],
    ['explain', `x${HOSTILE}`],
    ['outbox', 'retry', `x${HOSTILE}`],
    ['trigger', `x${HOSTILE}`],
    ['webhook', 'add', `x${HOSTILE}`, '--name', 'n'],
    ['webhook', 'add', 'github', '--name', `n${HOSTILE}`],
    ['webhook', 'command', 'add', 'templates', '--trigger', 'push', '--when', `a=b${HOSTILE}`],
    ['audit', 'list', '--since', HOSTILE],
    [`unknown${HOSTILE}`],
    ['task', 'list', `--unknown${HOSTILE}`],
    ['--config', `nope${HOSTILE}.yml`, 'status'],
  ]) {
    const { stdout, stderr } = await tell(sandbox, ...args);
    expect([args.slice(0, 2).map((it) => it.slice(0, 12)), hiddenIn(stdout + stderr).slice(0, 3)]).toEqual([
      args.slice(0, 2).map((it) => it.slice(0, 12)),
      [],
    ]);
  }
});

test('neither does serve, for people or as NDJSON', async () => {
  const other = await sandboxForTest();
  const running = await startHumanServe(other);
  const url = /^Ready on (\S+?),? /m.exec(running.stderr())?.[1] ?? '';
  const sent = await signedPost(url, comment(`@agent analyze ${HOSTILE}`, { title: HOSTILE, user }));
  await eventually(
    'the task',
    () => running.stderr().includes(`task-`) && running.stderr().includes(sent.id),
  );
  expect(hiddenIn(running.stderr())).toEqual([]);
  expect(running.stderr()).not.toMatch(/^forged line/m);
});
