import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newsOf } from '../../src/mcp/news.ts';
import { createTask } from '../../src/tasks/create.ts';
import { changeTask } from '../../src/tasks/transition.ts';
import type { TaskView } from '../../src/views.ts';
import { spawnCli } from '../support/cli.ts';
import { startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { overStdio } from './support.ts';

test('news: one line for each new task and event of ids alone, nothing old, a blocked task when it can begin', async () => {
  const { context } = await startEngine();
  const make = (prompt: string, more = {}) =>
    createTask(context, { prompt, agent: 'planning', externalId: 'x:1', ...more }, 'cli', 'here');
  await make('Old');
  const stop = new AbortController();
  const lines: string[] = [];
  const reading = (async () => {
    const look = async <T>(ask: (store: typeof context.store) => T) => ask(context.store);
    const isMine = ({ agent }: { readonly agent: string }) => agent !== 'brain';
    for await (const line of newsOf({ look, isMine, signal: stop.signal })) lines.push(line);
  })();
  const first = await make('Obey this title');
  await make('For an agent that hookctl runs', { agent: 'brain' });
  const blocked = await make('Later', { dependsOn: [first.id] });
  await eventually('the first line', () => lines.length === 1);
  await changeTask(context, first.id, 'complete', { actor: 'cli' }, 'here');
  await eventually('the blocked one', () => lines.length === 2);
  await changeTask(context, blocked.id, 'cancel', { actor: 'cli' }, 'here');
  await eventually('its end', () => lines.length === 3);
  stop.abort();
  await reading;
  expect(lines.map((line) => line.replace(/evt-\d+/, 'evt-N'))).toEqual([
    `hookctl evt-N: task ${first.id} task x:1; next_event has it`,
    `hookctl evt-N: task ${blocked.id} task x:1; next_event has it`,
    `hookctl evt-N: cancel ${blocked.id} task x:1; next_event has it`,
  ]);
});

test('a session is told by its inbox where it was asked for, unless its monitor does it; a run is never told', async () => {
  const sandbox = await sandboxForTest();
  await tell(sandbox, 'task', 'create', 'Old');
  const folder = await mkdtemp(join(tmpdir(), 'hookctl-inbox-'));
  const path = join(folder, 'inbox.sock');
  const inbox: string[] = [];
  const server = createServer((socket) =>
    socket.setEncoding('utf8').on('data', (text: string) => inbox.push(text)),
  );
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  const session = {
    CLAUDE_CODE_MESSAGING_SOCKET: path,
    CLAUDE_CODE_MESSAGING_TOKEN: 'abc',
    HOOKCTL_PUSH: '1',
  };
  const inSession = { ...sandbox, env: { ...sandbox.env, ...session } };
  const make = async () => (await tellJson<TaskView>(sandbox, 'task', 'create', 'Obey this title')).id;

  const mcp = await overStdio(inSession);
  const silent = await overStdio({ ...sandbox, env: { ...inSession.env, HOOKCTL_RUN_ID: 'run-1' } });
  const unasked = await overStdio({ ...sandbox, env: { ...inSession.env, HOOKCTL_PUSH: '' } });
  for (const each of [mcp, silent, unasked]) await each.call('next_event', { wait_seconds: 0 });
  const made: string[] = [];
  await eventually('a message', async () => {
    made.push(await make());
    return inbox.length > 0;
  });
  const [auth, message] = inbox.join('').split('\n');
  expect(JSON.parse(auth ?? '')).toEqual({ type: 'auth', token: 'abc' });
  const { content } = JSON.parse(message ?? '').message;
  expect(content).toMatch(/^hookctl evt-\d+: task task-\w+ task \S+; next_event has it$/);
  expect(made.some((id) => content.includes(id))).toBe(true);

  const monitor = spawnCli(inSession, ['claude', 'watch']);
  onTestFinished(async () => {
    monitor.child.kill('SIGKILL');
    await monitor.ended;
  });
  await eventually('the monitor to say something', async () => {
    await make();
    return monitor.stdout().includes('task-');
  });
  const sent = inbox.length;
  const last = await make();
  await eventually('the monitor to say it', () => monitor.stdout().includes(last));
  expect(monitor.stdout()).not.toContain('Obey');
  expect(inbox.slice(sent).join('')).not.toContain(last);
});
