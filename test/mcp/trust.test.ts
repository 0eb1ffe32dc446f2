import { expect, test } from 'vitest';
import { localBackend } from '../../src/mcp/local.ts';
import type { RunScope } from '../../src/mcp/scope.ts';
import type { ToolContext } from '../../src/mcp/tool.ts';
import { tools } from '../../src/mcp/tools/index.ts';
import { localTaskOperations } from '../../src/server/task-operations.ts';
import type { Task } from '../../src/types.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';

const WAITS = `
webhooks:
  github:
    commands:
      - { name: analyze, template: Analyze }
      - { trigger: issues.labeled, template: '{{issue.title}}' }
`;

/** A tool as a run of an agent on this task calls it. Text of the answer, or why it was refused. */
async function called(
  engine: TestEngine,
  task: Task | null,
  name: string,
  args: object,
  mayCall: readonly string[] = [],
): Promise<string> {
  const { context } = engine;
  const operations = localTaskOperations(context, engine.folder, {
    changed: () => undefined,
    said: () => undefined,
  });
  const scope: RunScope | null =
    task === null
      ? null
      : { runId: 'run-1', taskId: task.id, conversationId: task.conversationId, agent: task.agent, mayCall };
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const toolContext: ToolContext = {
    backend: localBackend(context.store, operations),
    scope,
    agent: null,
    now: Date.now,
    signal: new AbortController().signal,
  };
  return tool.run(toolContext, tool.input.parse(args)).then(({ text }) => text, String);
}

test('F1: words of an unverified delivery reach no agent, neither one that runs nor one that looks', async () => {
  const engine = await startEngine({ yaml: WAITS, insecure: ['github'] });
  const forged = (await engine.deliver('github', 'issues.labeled', onIssue(3))).tasks[0];
  if (forged === undefined) throw new Error('no task');
  expect(forged).toMatchObject({ trust: 'unverified', status: 'queued' });
  const operations = localTaskOperations(engine.context, engine.folder, {
    changed: () => undefined,
    said: () => undefined,
  });
  const typed = await operations.create({ prompt: 'Look', externalId: forged.externalId }, 'cli');
  const task = engine.context.store.task(typed.id);
  expect(task).toMatchObject({ trust: 'operator', conversationId: forged.conversationId });
  for (const scope of [task, null]) {
    expect(await called(engine, scope, 'list_tasks', {})).not.toContain(forged.id);
    expect(await called(engine, scope, 'get_task', { task_id: forged.id })).toContain('was not verified');
    expect(await called(engine, scope, 'get_task', { task_id: typed.id })).not.toContain(forged.prompt);
    expect(await called(engine, scope, 'start_task', { task_id: forged.id })).toContain('was not verified');
    expect(await called(engine, scope, 'next_event', { wait_seconds: 0 })).not.toContain(forged.id);
  }
  const child = await operations.create({ prompt: 'Below it', parentId: forged.id }, 'cli');
  expect(child.trust).toBe('unverified');
  await expect(operations.change(child.id, 'start', { actor: 'cli' })).rejects.toThrow('was not verified');
});

test('F1: what waits for approval is not told to a run of its conversation', async () => {
  const engine = await startEngine({ yaml: WAITS });
  const held = (
    await engine.deliver('github', 'issues.labeled', (payload) => ({
      ...onIssue(4)(payload),
      sender: { id: 900, login: 'mallory', type: 'User' },
    }))
  ).tasks[0];
  const asked = (await engine.deliver('github', 'issue_comment.created', onIssue(4))).tasks[0];
  if (held === undefined || asked === undefined) throw new Error('no task');
  expect(held).toMatchObject({ status: 'waiting_approval', conversationId: asked.conversationId });
  expect(await called(engine, asked, 'get_task', { task_id: held.id })).toContain('there is no task');
  const whole = await called(engine, asked, 'get_task', {});
  expect(whole).not.toContain(held.id);
});

test('F5: a child for another agent waits for approval unless `mayCall` names it; 20 open ones are the most', async () => {
  const engine = await startEngine({ yaml: WAITS });
  const [task] = (await engine.deliver('github', 'issue_comment.created', onIssue(6))).tasks;
  if (task === undefined) throw new Error('no task');
  const child = (args: object, mayCall: readonly string[] = []) =>
    called(engine, task, 'create_subtask', { prompt: 'Go on', ...args }, mayCall);
  expect(await child({ agent: 'executor' })).toContain('[waiting_approval] executor');
  expect(await child({ agent: 'executor' }, ['planning'])).toContain('[waiting_approval] executor');
  expect(await child({ agent: 'executor' }, ['executor'])).toContain('[queued] executor');
  expect(await child({})).toContain(`[queued] ${task.agent}`);
  // All at once: none slips through between the count and the write.
  const more = await Promise.all(Array.from({ length: 30 }, () => child({})));
  expect(more.filter((answer) => answer.includes('[queued]'))).toHaveLength(16);
  expect(more.filter((answer) => answer.includes('20 open tasks below it'))).toHaveLength(14);
});
