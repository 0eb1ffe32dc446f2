import { expect, test } from 'vitest';
import type { TaskView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';
import { type Mcp, overStdio, rawStdio } from './support.ts';

const TOOLS = [
  'list_tasks',
  'get_task',
  'start_task',
  'complete_task',
  'fail_task',
  'create_subtask',
  'ask',
  'comment',
  'link',
  'next_event',
  'ack_event',
];

interface OneTask {
  readonly task: TaskView;
}

const typed = (sandbox: Sandbox, prompt: string, ...more: readonly string[]) =>
  tellJson<TaskView>(sandbox, 'task', 'create', prompt, '--agent', 'planning', ...more);

/** What an agent does with a task, from the list to its end. */
async function workOff({ call }: Mcp, id: string): Promise<void> {
  const listed = await call<{ tasks: TaskView[] }>('list_tasks');
  expect(listed.data.tasks.map((task) => task.id)).toContain(id);
  const read = await call<TaskView>('get_task', { task_id: id });
  expect(read.text).toContain('Prompt:\nSay why the login fails');
  expect((await call<OneTask>('start_task', { task_id: id })).data.task.status).toBe('running');
  const child = await call<OneTask>('create_subtask', { parent_task_id: id, prompt: 'Read the log' });
  const childId = child.data.task.id;
  expect(child.data.task).toMatchObject({ parent_task_id: id, agent: 'planning', status: 'queued' });
  await call('fail_task', { task_id: childId, error: 'There is no log' });
  const done = { task_id: id, result: 'The token is old.', cost_usd: 0.5, input_tokens: 9 };
  expect((await call<OneTask>('complete_task', done)).data.task.status).toBe('completed');
  const { data } = await call<TaskView & { children: { id: string; error: string }[] }>('get_task', {
    task_id: id,
  });
  expect(data).toMatchObject({ result: 'The token is old.', cost_usd: 0.5, input_tokens: 9 });
  expect(data.children).toMatchObject([{ id: childId, status: 'failed', error: 'There is no log' }]);
}

test.each(['legacy', 'auto'] as const)(
  'an agent finds a task, works on it and ends it, without a server (%s protocol)',
  async (era) => {
    const sandbox = await sandboxForTest();
    const { id } = await typed(sandbox, 'Say why the login fails');
    const mcp = await overStdio(sandbox, [], era);
    expect((await mcp.client.listTools()).tools.map(({ name }) => name)).toEqual(TOOLS);
    await workOff(mcp, id);
    const history = readStore(sandbox, (store) => store.transitions(id));
    expect(history.map(({ event, actor }) => `${event} ${actor}`)).toEqual([
      'create cli',
      'start mcp',
      'complete mcp',
    ]);
  },
);

test('the same session goes on when a server starts, and when it ends', async () => {
  const sandbox = await sandboxForTest();
  const mcp = await overStdio(sandbox);
  expect((await mcp.call('list_tasks')).text).toBe('There are none.');
  const server = await serverForTest(sandbox);
  const first = await typed(sandbox, 'Say why the login fails');
  await workOff(mcp, first.id);
  await server.stop();
  const second = await typed(sandbox, 'Say why the login fails');
  await workOff(mcp, second.id);
});

test('several agents at once take turns at the data folder, and none loses anything', async () => {
  const sandbox = await sandboxForTest();
  const root = await typed(sandbox, 'All of it');
  const agents = await Promise.all([overStdio(sandbox), overStdio(sandbox), overStdio(sandbox)]);
  const calls = agents.flatMap(({ call }, agent) =>
    [1, 2, 3].map((part) => call('create_subtask', { parent_task_id: root.id, prompt: `${agent} ${part}` })),
  );
  const answers = await Promise.all(calls);
  expect(answers.map(({ isError, text }) => (isError ? text : 'ok'))).toEqual(Array(9).fill('ok'));
  const children = readStore(sandbox, (store) => store.tasks({ flowId: root.flow_id }));
  expect(children).toHaveLength(10);
  // Nobody has the folder between two calls.
  expect((await tell(sandbox, 'task', 'cancel', root.id)).code).toBe(0);
});

test('what an agent may not do is a tool error that says what to do next', async () => {
  const sandbox = await sandboxForTest();
  const { id } = await typed(sandbox, 'Say why the login fails');
  const later = await typed(sandbox, 'Fix it', '--depends-on', id);
  const { call } = await overStdio(sandbox);
  const attempts = [
    ['get_task', {}, 'no_task', 'list_tasks shows them'],
    ['get_task', { task_id: 'task-none' }, 'not_found', 'List them with list_tasks'],
    ['start_task', { task_id: later.id }, 'task_state', 'get_task'],
    ['ask', { task_id: id, question: 'Which login?' }, 'no_thread', 'Decide it yourself'],
    ['comment', { task_id: id, text: 'Hello' }, 'no_thread', 'Say it in the result'],
    ['create_subtask', { parent_task_id: 'task-none', prompt: 'x' }, 'not_found', 'list_tasks'],
    ['ack_event', { event_id: 'evt-1' }, 'not_found', 'next_event'],
  ] as const;
  for (const [tool, args, code, next] of attempts) {
    const { isError, data, text } = await call<{ error: { code: string } }>(tool, args);
    expect([tool, isError, data?.error.code]).toEqual([tool, true, code]);
    expect(text).toContain(next);
  }
  for (const args of [{ statu: 'open' }, { limit: 'many' }, { status: 'sleeping' }]) {
    expect(await call('list_tasks', args)).toMatchObject({ isError: true, text: /Invalid arguments/ });
  }
});

test('unknown tools and methods get an error, malformed lines are passed over, and stdout carries protocol only', async () => {
  const sandbox = await sandboxForTest();
  await typed(sandbox, 'Say why the login fails');
  const stdio = rawStdio(sandbox);
  const send = (id: number, method: string, params: object = {}) =>
    stdio.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  const discover = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } };
  send(1, 'server/discover', discover);
  expect(await stdio.next()).toMatchObject({ id: 1, error: { code: expect.any(Number) } });
  const clientInfo = { name: 'test', version: '1' };
  send(2, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  expect(await stdio.next()).toMatchObject({ id: 2, result: { serverInfo: { name: 'hookctl' } } });
  for (const junk of ['{"jsonrpc":', 'hello', '[]', '{"jsonrpc":"2.0"}', '\u0000']) stdio.write(junk);
  send(3, 'tasks/steal');
  expect(await stdio.next()).toMatchObject({ id: 3, error: { code: -32601 } });
  send(4, 'tools/call', { name: 'rm_rf', arguments: {} });
  expect(await stdio.next()).toMatchObject({ id: 4, error: { message: 'Tool rm_rf not found' } });
  send(5, 'tools/call', { name: 'list_tasks', arguments: {} });
  expect(await stdio.next()).toMatchObject({ id: 5, result: { structuredContent: { tasks: [{}] } } });
  expect((await stdio.end()).code).toBe(0);
});
