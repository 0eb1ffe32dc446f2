import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConversationView, FlowDetails, MessageView, TaskDetails } from '../../src/task-views.ts';
import type { TaskView } from '../../src/views.ts';
import { ask, expectJson } from '../support/management.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type Server, startServe } from '../support/server.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await createSandbox();
  server = await startServe(sandbox);
});
afterAll(async () => {
  await server.stop('SIGKILL');
  await sandbox.remove();
});

const create = (body: object) => expectJson<TaskView>(201, server, 'POST', '/api/tasks', { body });
const post = (path: string, body: object = {}) => expectJson<TaskView>(200, server, 'POST', path, { body });
const get = <T>(path: string) => expectJson<T>(200, server, 'GET', path);

test('a task is made, worked on and completed; its history names the API', async () => {
  const { id } = await create({ prompt: 'Look at it', agent: 'planning', metadata: { ticket: 7 } });
  await post(`/api/tasks/${id}/start`);
  await post(`/api/tasks/${id}/complete`, {
    result: 'Fixed',
    cost_usd: 0.5,
    input_tokens: 10,
    output_tokens: 2,
  });
  const shown = await get<TaskDetails>(`/api/tasks/${id}`);
  expect(shown).toMatchObject({
    status: 'completed',
    source: 'api',
    result: 'Fixed',
    cost_usd: 0.5,
    source_metadata: { ticket: 7 },
  });
  expect(shown.transitions.map(({ event, actor }) => [event, actor])).toEqual([
    ['create', 'api'],
    ['start', 'api'],
    ['complete', 'api'],
  ]);
  const again = await post(`/api/tasks/${id}/complete`, { result: 'Another' });
  expect(again.result).toBe('Fixed');
});

test.each([
  ['POST', '/api/tasks', { prompt: '' }, 400, 'a task needs a prompt'],
  ['POST', '/api/tasks', { prompt: 'x', promt: 'y' }, 400, 'promt'],
  [
    'POST',
    '/api/tasks',
    { prompt: 'x', metadata: { new_conversation: 'yes' } },
    400,
    'metadata.new_conversation',
  ],
  ['POST', '/api/tasks', { prompt: 'x', parent_task_id: 'task-none' }, 404, 'there is no task task-none'],
  ['POST', '/api/tasks/task-none/start', {}, 404, 'there is no task task-none'],
  ['GET', '/api/flows/flow-none', undefined, 404, 'there is no flow flow-none'],
  ['GET', '/api/conversations/conv-none/metrics', undefined, 404, 'there is no conversation conv-none'],
  ['PUT', '/api/tasks', {}, 405, 'does not take PUT'],
])('%s %s with %j is answered %i', async (method, path, body, status, detail) => {
  const answer = await ask(server, method, path, body === undefined ? {} : { body });
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(detail)]);
});

test('a step that the lifecycle refuses is answered 409 with its reason', async () => {
  const { id } = await create({ prompt: 'x', requires_approval: true });
  const answer = await ask(server, 'POST', `/api/tasks/${id}/start`, { body: {} });
  expect(answer.status).toBe(409);
  expect(JSON.parse(answer.text)).toMatchObject({
    code: 'task_state',
    detail: expect.stringContaining('approval'),
  });
  expect(await post(`/api/tasks/${id}/approve`)).toMatchObject({ status: 'queued' });
});

test('a flow shows its tasks, a conversation its totals, messages and the last of them as context', async () => {
  const root = await create({ prompt: 'First', external_id: 'jira:SHOP-1' });
  const child = await create({ prompt: 'Second', parent_task_id: root.id });
  await post(`/api/tasks/${root.id}/complete`, { result: 'One', cost_usd: 1 });
  await post(`/api/tasks/${child.id}/fail`, { error: 'Two', cost_usd: 2 });
  const flow = await get<FlowDetails>(`/api/flows/${root.flow_id}`);
  expect(flow.tasks.map(({ id }) => id)).toEqual([root.id, child.id]);
  const found = await get<{ items: { id: string }[] }>('/api/flows?external_id=jira:SHOP-1');
  expect(found.items.map(({ id }) => id)).toEqual([root.flow_id]);

  const base = `/api/conversations/${root.conversation_id}`;
  expect(await get(`${base}/metrics`)).toMatchObject({
    tasks: 2,
    by_status: { completed: 1, failed: 1 },
    cost_usd: 3,
    average_cost_usd: 1.5,
    completed_at: expect.any(String),
  });
  const page = await get<{ items: MessageView[]; next_cursor: string }>(`${base}/messages?limit=1`);
  expect(page.items.map(({ role, text }) => `${role}: ${text}`)).toEqual(['user: First', 'assistant: One']);
  const rest = await get<typeof page>(`${base}/messages?cursor=${page.next_cursor}`);
  expect(rest).toMatchObject({ items: [{ text: 'Second' }, { text: 'Two' }], next_cursor: null });
  const context = await get<ConversationView & { messages: MessageView[] }>(`${base}/context?max_messages=3`);
  expect(context.messages.map(({ text }) => text)).toEqual(['One', 'Second', 'Two']);
});
