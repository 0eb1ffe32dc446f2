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

test('as a channel with --ask it passes on what an open session may do, as a person decides', async () => {
  const sandbox = await sandboxForTest();
  const mcp = rawStdio(sandbox, '--channel', '--ask', '10m');
  const write = (message: object) => mcp.write(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const clientInfo = { name: 'claude-code', version: '2.1.332' };
  write({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  });
  expect((await mcp.next()).result).toMatchObject({
    capabilities: { experimental: { 'claude/channel': {}, 'claude/channel/permission': {} } },
  });
  write({ method: 'notifications/initialized' });
  const ask = (request_id: string, more: object = {}) =>
    write({
      method: 'notifications/claude/channel/permission_request',
      params: {
        ...{ request_id, tool_name: 'Bash', description: 'Run the tests', input_preview: 'npm test' },
        ...more,
      },
    });
  const waiting = async () => {
    const list = await tellJson<readonly TaskView[]>(sandbox, 'task', 'list');
    return list.find(({ status }) => status === 'waiting_approval');
  };
  const decided = async (request_id: string, verb: 'approve' | 'cancel') => {
    ask(request_id);
    let task: TaskView | undefined;
    await eventually('a task that asks', async () => {
      task = await waiting();
      return task !== undefined;
    });
    expect(task).toMatchObject({ title: 'May an open session use Bash?', parent_task_id: null });
    expect(task?.prompt).toBe('Bash\nRun the tests\nnpm test');
    await tellJson(sandbox, 'task', verb, task?.id ?? '');
    // New tasks are pushed by the same way.
    for (;;) {
      const { method, params } = await mcp.next();
      if (method === 'notifications/claude/channel/permission') return params;
    }
  };
  // Neither is a question; nothing waits for a person.
  ask('ABC', {});
  ask('abcde', { tool_name: '' });
  expect(await decided('abcde', 'approve')).toEqual({ request_id: 'abcde', behavior: 'allow' });
  expect(await decided('fghij', 'cancel')).toEqual({ request_id: 'fghij', behavior: 'deny' });
  ask('kmnop');
  let open: TaskView | undefined;
  await eventually('the last question', async () => {
    open = await waiting();
    return open !== undefined;
  });
  await mcp.end();
  await eventually('the question to end with its session', async () => (await waiting()) === undefined);
  expect(await tellJson<TaskView>(sandbox, 'task', 'show', open?.id ?? '')).toMatchObject({
    status: 'cancelled',
    error: 'The session has ended.',
  });
});
