import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AuditView, TaskView } from '../../src/views.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tellJson } from '../support/in-process.ts';
import { ask, bearer, JSON_TYPE } from '../support/management.ts';
import { type ProviderApis, startProviderApis } from '../support/provider-apis.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, tokenOf } from '../support/server.ts';
import { type Mcp, overHttp } from './support.ts';

/** A server with an agent that works until it is told to end, on a repository whose comments stand on loopback. */
let apis: ProviderApis;
let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  apis = await startProviderApis();
  sandbox = await sandboxForFile({
    env: { GITHUB_TOKEN: 't' },
    files: {
      'agent.mjs': readFileSync(join(import.meta.dirname, 'held-agent.mjs'), 'utf8'),
      'webhooks.yml': [
        `credentials: { github: { tokenEnv: GITHUB_TOKEN, baseUrl: "${apis.url}" } }`,
        'webhooks: { github: { targetAgent: held, defaultCommand: work, commands: [{ name: work, targetAgent: held }, { name: wait, targetAgent: idle }] } }',
        `agents: { held: { use: command, program: ${process.execPath}, args: [./agent.mjs], concurrency: 8 } }`,
      ].join('\n'),
    },
  });
  server = await serverForFile(sandbox);
});
afterAll(async () => {
  // Before its folder goes.
  await server.stop('SIGTERM');
  await apis.close();
});

let issue = 100;

/** A comment on an issue, and the task that comes of it. */
async function commented(text: string, on: number): Promise<TaskView> {
  const { id } = await signedPost(server.url, comment(text, { issue: on }));
  return eventually('the task', async () => {
    const tasks = readStore(sandbox, (store) => store.tasks({ deliveryId: id }));
    return tasks[0] === undefined ? null : tellJson<TaskView>(sandbox, 'task', 'show', tasks[0].id);
  });
}

interface HeldRun {
  readonly task: string;
  readonly run: string;
  readonly token: string;
  readonly url: string;
  end(): void;
}

/** A run that goes on, on an issue of its own; it is ended with the test. */
async function heldRun(on = ++issue): Promise<HeldRun> {
  const { id } = await commented('@agent work on it', on);
  const file = join(sandbox.project, `run-${id}.json`);
  await eventually('the run to start', () => existsSync(file) && readFileSync(file, 'utf8').endsWith('}'));
  const end = () => writeFileSync(join(sandbox.project, `end-${id}`), '');
  onTestFinished(end);
  return { ...JSON.parse(readFileSync(file, 'utf8')), end };
}

const operator = () => overHttp(server, tokenOf(sandbox));
const taskOf = (id: string) => readStore(sandbox, (store) => store.task(id));
const code = async (mcp: Mcp, tool: string, args: Record<string, unknown>) => {
  const { data, isError } = await mcp.call<{ error: { code: string } }>(tool, args);
  return isError ? data.error.code : 'ok';
};

test.each(['legacy', 'auto'] as const)(
  'with the management token an agent works on any task over HTTP (%s protocol)',
  async (era) => {
    const { id } = await commented('@agent wait for it', ++issue);
    const mcp = await overHttp(server, tokenOf(sandbox), era);
    const { data } = await mcp.call<{ tasks: TaskView[] }>('list_tasks', { agent: 'idle' });
    expect(data.tasks[0]).toMatchObject({ id, status: 'queued' });
    for (const [tool, more] of [
      ['start_task', {}],
      ['complete_task', { result: 'Over HTTP.' }],
    ] as const) {
      await mcp.call(tool, { task_id: id, ...more });
    }
    expect(taskOf(id)).toMatchObject({ status: 'completed', result: 'Over HTTP.' });
    await eventually('the result in the thread', () =>
      apis.posts.some(({ text }) => text.includes('Over HTTP.')),
    );
  },
);

test('a question is a separate comment, the answer comes as an event, and the result edits the task’s comment', async () => {
  const on = ++issue;
  const { id } = await commented('@agent wait for it', on);
  const mcp = await operator();
  const listen = { agent: 'idle', consumer: `test-${id}`, wait_seconds: 20 };
  for (;;) {
    const { data } = await mcp.call<{ event: { id: string; task_id: string } }>('next_event', listen);
    await mcp.call('ack_event', { event_id: data.event.id, consumer: `test-${id}` });
    if (data.event.task_id === id) break;
  }
  await mcp.call('start_task', { task_id: id });
  await mcp.call('comment', { task_id: id, text: 'I look at the log.' });
  expect(await code(mcp, 'ask', { task_id: id, question: 'Which login, SSO or password?' })).toBe('ok');
  expect(await code(mcp, 'ask', { task_id: id, question: 'And why?' })).toBe('task_state');
  expect(taskOf(id)?.status).toBe('waiting_answer');
  await signedPost(server.url, comment('SSO, please', { issue: on }));
  const answer = await mcp.call<{ event: object; task: TaskView }>('next_event', listen);
  expect(answer.data.event).toMatchObject({ kind: 'answer', task_id: id });
  expect(answer.data.task.prompt).toContain('SSO, please');
  await mcp.call('complete_task', { task_id: id, result: 'SSO works again.' });
  const posts = await eventually('the thread', () => {
    const own = apis.posts.filter(({ thread }) => thread.endsWith(`#${on}`)).map(({ text }) => text);
    return own.some((text) => text.includes('SSO works again.')) && own;
  });
  expect(posts).toHaveLength(3);
  expect(posts.filter((text) => text.includes('I look at the log.'))).toHaveLength(1);
  expect(posts.filter((text) => text.includes('❓ Which login'))).toHaveLength(1);
  const { isError, data } = await mcp.call<TaskView>('get_task', { task_id: id });
  expect([isError, data.status]).toEqual([false, 'completed']);
});

test('a question is answered by the API and the CLI, too: its task goes on with the words, and the audit names who said them', async () => {
  const [by, mcp] = [await commented('@agent wait for it', ++issue), await operator()];
  const answer = (body: object) => ask(server, 'POST', `/api/tasks/${by.id}/answer`, { body });
  const early = await answer({ answer: 'Yes.' });
  expect([early.status, early.text]).toEqual([409, expect.stringContaining('it asked nothing')]);
  expect(await code(mcp, 'ask', { task_id: by.id, question: 'Which login?' })).toBe('ok');
  expect((await answer({ answer: ' ' })).status).toBe(400);
  expect(taskOf(by.id)?.status).toBe('waiting_answer');
  expect((await answer({ answer: 'The password\u202e one.' })).status).toBe(200);
  expect(taskOf(by.id)).toMatchObject({
    status: 'queued',
    trust: 'verified',
    prompt: expect.stringMatching(/\n\nThe answer:\nThe password⟦U\+202E⟧ one\.$/),
  });
  expect(await code(mcp, 'ask', { task_id: by.id, question: 'Which branch?' })).toBe('ok');
  await tellJson<TaskView>(sandbox, 'task', 'answer', by.id, '--text', 'main');
  expect(taskOf(by.id)).toMatchObject({ status: 'queued', prompt: expect.stringMatching(/\nmain$/) });
  const { items } = JSON.parse((await ask(server, 'GET', '/api/audit?what=task.answer')).text);
  expect(items.map(({ target, actor_kind: kind }: AuditView) => [target, kind])).toEqual([
    [by.id, 'cli'],
    [by.id, 'api'],
  ]);
});

test('the token of a run is good for its task, what is below it, and to read its conversation', async () => {
  const [own, other] = [await heldRun(), await heldRun()];
  const mcp = await overHttp(server, own.token);
  const listed = await mcp.call<{ tasks: TaskView[] }>('list_tasks');
  expect(listed.data.tasks.map(({ id }) => id)).toEqual([own.task]);
  const child = await mcp.call<{ task: TaskView }>('create_subtask', { prompt: 'A part', agent: 'idle' });
  const childId = child.data.task.id;
  expect(child.data.task.parent_task_id).toBe(own.task);
  expect(await code(mcp, 'get_task', {})).toBe('ok');
  expect(await code(mcp, 'complete_task', { task_id: childId, result: 'Part' })).toBe('ok');
  for (const [tool, args] of [
    ['get_task', {}],
    ['complete_task', { result: 'x' }],
    ['fail_task', { error: 'x' }],
    ['comment', { text: 'x' }],
    ['ask', { question: 'x' }],
  ] as const) {
    expect([tool, await code(mcp, tool, { task_id: other.task, ...args })]).toEqual([tool, 'not_found']);
  }
  expect(await code(mcp, 'create_subtask', { parent_task_id: other.task, prompt: 'x' })).toBe('not_found');
  expect(await code(mcp, 'create_subtask', { prompt: 'x', depends_on: [other.task] })).toBe('not_found');
  expect(await code(mcp, 'complete_task', { result: 'By MCP.' })).toBe('ok');
  own.end();
  await eventually('the run to end', () => readStore(sandbox, (store) => store.run(own.run)?.endedAt));
  expect(taskOf(own.task)?.result).toBe('By MCP.');
});

test('a person’s next command in the thread reaches the run as a comment, and is not the run’s to end', async () => {
  const on = ++issue;
  const own = await heldRun(on);
  const mcp = await overHttp(server, own.token);
  const { id } = await commented('@agent work on the other one, too', on);
  const { data } = await mcp.call<{ event: object }>('next_event');
  expect(data.event).toMatchObject({ kind: 'comment', task_id: id });
  expect(await code(mcp, 'complete_task', { task_id: id, result: 'x' })).toBe('not_yours');
  writeFileSync(join(sandbox.project, `end-${id}`), '');
});

test('the token of a run opens nothing else, and nothing at all once the run has ended', async () => {
  const own = await heldRun();
  const another = await heldRun();
  const send = async (token: string, method: string, path: string, body: unknown = {}) => {
    const headers = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(token), ...JSON_TYPE];
    const { status } = await ask(server, method, path, { rawHeaders: headers, body });
    return status;
  };
  const hook = { hook_event_name: 'TaskCompleted', task_id: '7', task_subject: 'Look\u001b[2J at it' };
  for (const path of ['/api/tasks', '/api/status', '/api/webhooks', '/readyz', '/mcp/', '/']) {
    expect([path, await send(own.token, 'GET', path)]).toEqual([path, 403]);
  }
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, hook)).toBe(200);
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, { hook_event_name: 'Later' })).toBe(200);
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, {})).toBe(400);
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, '{')).toBe(400);
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, { x: 'y'.repeat(2 ** 20) })).toBe(413);
  expect(await send(own.token, 'POST', `/hooks/claude/${another.run}`, hook)).toBe(403);
  expect(await send(tokenOf(sandbox), 'POST', `/hooks/claude/${own.run}`, hook)).toBe(403);
  expect(await send('0'.repeat(64), 'POST', '/mcp')).toBe(401);
  const log = join(sandbox.dataFolder, 'runs', `${own.run}.log`);
  await eventually('the hook in the log', () =>
    /completed #7 of the task list: Look/.test(readFileSync(log, 'utf8')),
  );
  expect(readFileSync(log, 'utf8')).not.toContain('\\u001b');

  own.end();
  await eventually('the run to end', () => readStore(sandbox, (store) => store.run(own.run)?.endedAt));
  expect(await send(own.token, 'POST', '/mcp')).toBe(401);
  expect(await send(own.token, 'POST', `/hooks/claude/${own.run}`, hook)).toBe(401);
});

test('F16: a body without a length is refused, and one over 1 MB', async () => {
  const own = await heldRun();
  const host = ['host', `127.0.0.1:${server.managementPort}`];
  const usual = [...host, ...bearer(own.token), ...JSON_TYPE];
  const large = { hook_event_name: 'Stop', last_assistant_message: 'y'.repeat(2 ** 20) };
  for (const path of [`/hooks/claude/${own.run}`, '/mcp']) {
    const rawHeaders = [...usual, 'transfer-encoding', 'chunked'];
    expect((await ask(server, 'POST', path, { rawHeaders, body: large })).status).toBe(411);
    expect((await ask(server, 'POST', path, { rawHeaders: usual, body: large })).status).toBe(413);
  }
  own.end();
});

test('a page that rebinds a name, another origin and a proxy get no MCP', async () => {
  const host = ['host', `127.0.0.1:${server.managementPort}`];
  const token = [...bearer(tokenOf(sandbox)), ...JSON_TYPE];
  const statuses = await Promise.all(
    [
      [...token, 'host', 'evil.example'],
      [...host, ...token, 'origin', 'https://evil.example'],
      [...host, ...token, 'x-forwarded-for', '1.2.3.4'],
      [...host, ...JSON_TYPE],
    ].map(async (rawHeaders) => (await ask(server, 'POST', '/mcp', { rawHeaders, body: {} })).status),
  );
  expect(statuses).toEqual([421, 403, 403, 401]);
});

test('malformed requests and unknown methods are answered with an error', async () => {
  const send = async (body: unknown) => {
    const headers = ['host', `127.0.0.1:${server.managementPort}`, ...bearer(tokenOf(sandbox)), ...JSON_TYPE];
    const rawHeaders = [...headers, 'accept', 'application/json, text/event-stream'];
    return ask(server, 'POST', '/mcp', { rawHeaders, body });
  };
  expect((await send('{"jsonrpc":')).text).toContain('-32700');
  const unknown = await send({ jsonrpc: '2.0', id: 1, method: 'tasks/steal', params: {} });
  expect(unknown.text).toContain('-32601');
  const tool = await send({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'rm', arguments: {} },
  });
  expect(tool.text).toContain('Tool rm not found');
});
