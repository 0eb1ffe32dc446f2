import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { jira } from '../../src/providers/jira/index.ts';
import type { JsonObject } from '../../src/types.ts';
import type { TaskView } from '../../src/views.ts';
import { eventually } from '../support/eventually.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest, taskFiles } from '../support/sandbox.ts';
import { readStore, type Server, serverForTest, settled } from '../support/server.ts';

const SECRET = 'jira-secret';
/** Of the comments. */
let number = 1_000;

/** A comment on PROJ-123, whose description asks for a fresh start, as Jira sends and signs it. */
async function comment({ url, sandbox }: Server, text: string): Promise<TaskView> {
  const now = new Date();
  const sample = jira.samples.find(({ type }) => type === 'comment_created');
  const payload = sample?.build({ text, now, nextNumber: () => ++number }) as JsonObject;
  const issue = payload.issue as JsonObject;
  const fields = { ...(issue.fields as JsonObject), description: 'we should start fresh' };
  const about = { ...issue, id: '10042', key: 'PROJ-123', fields };
  const body = Buffer.from(JSON.stringify({ ...payload, issue: about }));
  const signed = jira.sign(body, {
    type: 'comment_created',
    secret: secret(SECRET),
    deliveryId: randomUUID(),
    now,
  });
  const answer = await fetch(`${url}/webhooks/jira`, { method: 'POST', headers: signed.headers, body });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  expect((await settled(sandbox, id)).reason).toContain('analyze');
  const made = await tellJson<TaskView[]>(sandbox, 'task', 'list', '--delivery', id);
  if (made[0] === undefined) throw new Error(`${id} made no task`);
  return made[0];
}

/** Changes an entry as Claude Code does: the whole file, nothing else changed. */
async function setInList(
  { claudeFolder }: Sandbox,
  { source_metadata: { claude_list } }: TaskView,
  status: string,
) {
  const { number } = claude_list as { number: number };
  const path = join(claudeFolder, 'tasks/hookctl', `${number}.json`);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), status }, null, 2));
}

test('a chain of tasks over HTTP and CLI stays one flow, in one conversation until somebody breaks it', async () => {
  const sandbox = await sandboxForTest({ env: { JIRA_WEBHOOK_SECRET: SECRET } });
  const server = await serverForTest(sandbox);
  const first = await comment(server, '@agent analyze');
  expect(first).toMatchObject({
    external_id: 'jira:PROJ-123',
    flow_id: 'flow-da9a99a002fd9fff',
    initiated_task_id: first.id,
  });

  const child = (parent: string, prompt: string) =>
    tellJson<TaskView>(sandbox, 'task', 'create', prompt, '--parent', parent);
  const second = await child(first.id, 'Plan it');
  const third = await expectJson<TaskView>(201, server, 'POST', '/api/tasks', {
    body: { prompt: 'Write it, and start fresh', parent_task_id: second.id },
  });
  const fourth = await child(third.id, 'Open the pull request');
  expect(second.conversation_id).toBe(first.conversation_id);
  expect(third.conversation_id).not.toBe(first.conversation_id);
  expect(fourth.conversation_id).toBe(third.conversation_id);

  const later = await comment(server, '@agent analyze again');
  expect(later.conversation_id).toBe(third.conversation_id);

  await tellJson(sandbox, 'task', 'start', second.id);
  const done = [
    '--result',
    'Three steps',
    '--cost-usd',
    '0.25',
    '--input-tokens',
    '100',
    '--output-tokens',
    '20',
  ];
  const completed = await tellJson<TaskView>(sandbox, 'task', 'complete', second.id, ...done);
  expect(completed).toMatchObject({ status: 'completed', result: 'Three steps', cost_usd: 0.25 });
  const files = await taskFiles(sandbox, readStore(sandbox, (store) => store.task(second.id)) ?? undefined);
  expect(files.entry).toMatchObject({
    status: 'completed',
    description: expect.stringContaining('## Result'),
  });
  expect(files.record).toMatchObject({ status: 'completed', result: 'Three steps' });

  const metrics = `/api/conversations/${first.conversation_id}/metrics`;
  expect(await expectJson(200, server, 'GET', metrics)).toMatchObject({
    tasks: 2,
    by_status: { queued: 1, completed: 1 },
    cost_usd: 0.25,
    average_cost_usd: 0.25,
    input_tokens: 100,
    output_tokens: 20,
  });
  const tree = (await tell(sandbox, 'flow', 'show', 'jira:PROJ-123')).stdout;
  expect(tree).toMatch(new RegExp(`^${first.id}.*\\n(.*\\n)*└─ ${second.id}  completed`, 'm'));
  expect(tree).toContain('→ Three steps');

  await setInList(sandbox, fourth, 'completed');
  await eventually(
    'the server to follow the list',
    () => readStore(sandbox, (store) => store.task(fourth.id))?.status === 'completed',
  );
  const last = () => server.lines().findLast(({ type }) => type === 'task');
  await eventually('serve to tell it', () => last()?.id === fourth.id && last()?.status === 'completed');

  await server.stop();
  const before = readStore(sandbox, (store) => store.tasks().map(({ id, flowId }) => [id, flowId]));
  await serverForTest(sandbox);
  expect(readStore(sandbox, (store) => store.tasks().map(({ id, flowId }) => [id, flowId]))).toEqual(before);
  expect(new Set(before.map(([, flowId]) => flowId))).toEqual(new Set(['flow-da9a99a002fd9fff']));
});

const PHRASES = ['new conversation', 'Start fresh', 'NEW CONTEXT', 'reset  conversation'];
const NOT_ASKED = ['newer conversation', 'restart freshly', 'a new contextual menu', 'preset conversations'];

test('G2: each of the four phrases starts a new conversation, alike in a comment and in a prompt by hand', async () => {
  const sandbox = await sandboxForTest({ env: { JIRA_WEBHOOK_SECRET: SECRET } });
  const server = await serverForTest(sandbox);
  const first = await comment(server, '@agent analyze');
  const conversations = new Set([first.conversation_id]);
  const made = (prompt: string, metadata: JsonObject = {}) =>
    expectJson<TaskView>(201, server, 'POST', '/api/tasks', {
      body: { prompt, parent_task_id: first.id, metadata },
    });

  for (const [index, phrase] of PHRASES.entries()) {
    const typed = await made(`Look again, ${phrase}.`);
    conversations.add(typed.conversation_id);
    const commented = await comment(server, `@agent analyze (${phrase})`);
    conversations.add(commented.conversation_id);
    expect(conversations.size, phrase).toBe(3 + 2 * index);
    expect([typed.flow_id, commented.flow_id], phrase).toEqual([first.flow_id, first.flow_id]);
    expect((await made(`${phrase}!`, { new_conversation: false })).conversation_id).toBe(
      first.conversation_id,
    );
  }
  for (const words of NOT_ASKED)
    expect((await made(words)).conversation_id, words).toBe(first.conversation_id);
  expect((await made('Go on', { new_conversation: true })).conversation_id).not.toBe(first.conversation_id);
});
