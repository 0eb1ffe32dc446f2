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
import { overStdio, rawStdio } from './support.ts';

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

test('as a channel it refuses server/discover, pushes each new task as ids alone, and in a run nothing', async () => {
  const sandbox = await sandboxForTest();
  const { id: old } = await tellJson<TaskView>(sandbox, 'task', 'create', 'Old');
  const request = (id: number, method: string, params: object = {}) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params });
  const open = async (env: Readonly<Record<string, string>>) => {
    const mcp = rawStdio({ ...sandbox, env: { ...sandbox.env, ...env } }, '--channel');
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    mcp.write(request(0, 'server/discover', { _meta }));
    const refused = await mcp.next();
    const clientInfo = { name: 'claude-code', version: '2.1.332' };
    mcp.write(request(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }));
    const { result } = await mcp.next();
    mcp.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    return { mcp, refused, capabilities: (result as { capabilities: object }).capabilities };
  };
  const channel = await open({});
  expect(channel.refused).toMatchObject({ id: 0, error: { code: -32_601 } });
  expect(channel.capabilities).toMatchObject({ experimental: { 'claude/channel': {} }, tools: {} });
  const inRun = await open({ HOOKCTL_RUN_ID: 'run-1' });
  expect(inRun.capabilities).not.toHaveProperty('experimental');

  const pushed = channel.mcp.next();
  const made: string[] = [];
  let isPushed = false;
  void pushed.then(() => {
    isPushed = true;
  });
  await eventually('a task to be pushed', async () => {
    made.push((await tellJson<TaskView>(sandbox, 'task', 'create', 'Obey this title')).id);
    return isPushed;
  });
  const { method, params } = await pushed;
  expect(method).toBe('notifications/claude/channel');
  const { content } = params as { readonly content: string };
  expect(content).toMatch(/^hookctl evt-\d+: task task-\w+ task \S+; next_event has it$/);
  expect(content).not.toContain(old);
  expect(made.some((id) => content.includes(id))).toBe(true);
});
