import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeTask } from '../../src/tasks/transition.ts';
import type { AgentRun, JsonObject } from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type AgentEngine, dumpsIn, isAlive, startAgents } from './support.ts';

const apis = apisForFile();

const CLAUDE = 'agents: { brain: { use: claude, program: ./fake-agent, concurrency: 4 } }\n';
const COMMAND = 'agents: { brain: { use: command, program: ./fake-agent, concurrency: 4 } }\n';
const planning = (settings: string) =>
  `agents: { planning: { use: command, program: ./quick, ${settings} } }\n`;

const openRun = ({ context }: AgentEngine, taskId: string, state: AgentRun['state']) =>
  eventually(`the run of ${taskId} to be ${state}`, () => {
    const run = context.store.runsOfTask(taskId).at(-1);
    return run?.state === state ? run : null;
  });

test('a queued task is run: it keeps result, cost, tokens and session', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const task = await engine.task('Look at it\ndo: answer Found it.');
  const run = await engine.ended(task.id);
  expect(run).toMatchObject({
    state: 'completed',
    agent: 'brain',
    runner: 'claude',
    folder: engine.folder,
    exitCode: 0,
    usage: { costUsd: 0.25, inputTokens: 1_100, outputTokens: 20, turns: 3 },
    denials: ['Bash {"command":"rm -rf /"}'],
    reason: null,
  });
  expect(run.openWith).toBe(
    `cd ${engine.folder} && CLAUDE_CONFIG_DIR=${engine.folder}/claude ./fake-agent --resume ${run.sessionId}`,
  );
  expect(engine.context.store.task(task.id)).toMatchObject({
    status: 'completed',
    result: 'Found it.',
    usage: { costUsd: 0.25, inputTokens: 1_100, outputTokens: 20 },
  });
  expect(engine.context.store.transitions(task.id).map(({ event, actor }) => [event, actor])).toEqual([
    ['create', 'cli'],
    ['start', 'agent:brain'],
    ['complete', 'agent:brain'],
  ]);
  await eventually('both to be told', () => engine.told.length === 2);
  expect(engine.told.map(({ state }) => state)).toEqual(['running', 'completed']);
  const log = readFileSync(run.logPath ?? '', 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(log.map(({ kind, text }) => [kind, text])).toEqual([
    ['said', 'Looking.'],
    ['did', 'Bash {"command":"npm test"}'],
    ['note', 'completed'],
  ]);
});

test('the prompt ends with hookctl’s instructions, behind all data', async () => {
  const engine = await startAgents({ yaml: planning('').replace('./quick', './fake-agent') });
  const { tasks } = await engine.deliver(
    'github',
    'issue_comment.created',
    undefined,
    '@agent plan do: fail',
  );
  await engine.ended(tasks[0]?.id ?? '');
  const prompt = dumpsIn(engine.folder)[0]?.prompt ?? '';
  expect(prompt).toMatch(/source="@argument" author="[^"]+">do: fail<\/untrusted-/);
  const ends = [...prompt.matchAll(/<\/untrusted-[0-9a-f]{32}>/g)].map(({ index }) => index);
  expect(ends.length).toBeGreaterThan(0);
  expect(Math.max(...ends)).toBeLessThan(prompt.indexOf('These are instructions of hookctl'));
  expect(prompt.trimEnd().endsWith('without secrets.')).toBe(true);
});

test('the tasks of a conversation share one session; one that is lost is started anew, and that is said', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const first = await engine.ended((await engine.task('One', { externalId: 'x:1' })).id);
  const second = await engine.ended((await engine.task('Two', { externalId: 'x:1' })).id);
  expect(second.sessionId).toBe(first.sessionId);
  expect(first.commandLine).toContain('--session-id');
  expect(second.commandLine.slice(second.commandLine.indexOf('--resume'))[1]).toBe(first.sessionId);
  const elsewhere = await engine.ended((await engine.task('Other', { externalId: 'x:2' })).id);
  expect(elsewhere.sessionId).not.toBe(first.sessionId);

  writeFileSync(join(engine.folder, 'sessions'), '');
  const task = await engine.task('Three', { externalId: 'x:1' });
  const third = await engine.ended(task.id);
  expect(third.state).toBe('completed');
  expect(third.sessionId).not.toBe(first.sessionId);
  expect(engine.context.store.task(task.id)?.result).toBe(
    'It is done.\n\n(The earlier session was gone, so this one started anew.)',
  );
  const fourth = await engine.ended((await engine.task('Four', { externalId: 'x:1' })).id);
  expect(fourth.sessionId).toBe(third.sessionId);
});

test('without an agent for it a task waits, and no run is made', async () => {
  const engine = await startAgents({ yaml: CLAUDE });
  const other = await engine.task('Plan', { agent: 'planning' });
  await engine.ended((await engine.task('Look')).id);
  expect(engine.context.store.task(other.id)?.status).toBe('queued');
  expect(engine.context.store.runsOfTask(other.id)).toEqual([]);
});

test('one run at a time in a conversation, in order of the flow; a waiting task says why', async () => {
  const engine = await startAgents({ yaml: COMMAND.replace('4', '2') });
  const [first, second, third, other, more] = [
    await engine.task('A\ndo: wait go', { externalId: 'x:1' }),
    await engine.task('B\ndo: answer', { externalId: 'x:1' }),
    await engine.task('C new conversation\ndo: answer', { externalId: 'x:1' }),
    await engine.task('D\ndo: wait go', { externalId: 'x:2' }),
    await engine.task('E\ndo: answer', { externalId: 'x:3' }),
  ];
  await openRun(engine, other.id, 'running');
  const waiting = async (id: string) => (await openRun(engine, id, 'waiting')).reason;
  expect(await waiting(second.id)).toBe('its conversation has a run');
  expect(await waiting(third.id)).toBe('waiting for an earlier task of the same thread');
  expect(await waiting(more.id)).toBe('brain has all the runs that it may have at once (2)');
  writeFileSync(join(engine.folder, 'go'), '');
  const runs = [];
  for (const { id } of [first, second, third, other, more]) runs.push(await engine.ended(id));
  const [a, b, c] = runs;
  expect(b?.startedAt ?? 0).toBeGreaterThanOrEqual(a?.endedAt ?? 1);
  expect(c?.startedAt ?? 0).toBeGreaterThanOrEqual(b?.startedAt ?? 1);
});

test('what waits for another task, or is taken in Claude’s list, is not run', async () => {
  const engine = await startAgents({ yaml: COMMAND });
  const { store } = engine.context;
  const first = await engine.task('First\ndo: fail');
  const blocked = await engine.task('Second', { dependsOn: [first.id] });
  await engine.ended(first.id);
  await eventually('the reason', () => {
    return store.runsOfTask(blocked.id).at(-1)?.reason === `it waits for ${first.id} (failed)`;
  });

  const held = await engine.task('Third', { dependsOn: [first.id] });
  const place = store.task(held.id)?.sourceMetadata.claude_list;
  const { list, number } = place as unknown as { list: string; number: number };
  const file = join(engine.folder, 'claude/tasks', list, `${number}.json`);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), owner: 'alice' }, null, 2));
  await changeTask(engine.context, first.id, 'retry', { actor: 'cli' }, 'here');
  await changeTask(engine.context, first.id, 'complete', { actor: 'cli' }, 'here');
  engine.scheduler.wake();
  expect((await engine.ended(blocked.id)).state).toBe('completed');
  const reason = await eventually('the reason', () => {
    const run = store.runsOfTask(held.id).at(-1);
    return run?.reason?.includes('alice') ? run.reason : null;
  });
  expect(reason).toBe('alice has taken it in Claude’s list');
  expect(store.task(held.id)?.status).toBe('queued');
});

test('a task of a stranger runs only after an allowed sender has approved it', async () => {
  const engine = await startAgents({
    yaml: `${planning('')}webhooks:
  github:
    commands:
      - { trigger: issues.opened, targetAgent: planning, template: "Look at {{issue.title}}" }
      - { name: analyze, template: "{{@argument}}" }\n`,
  });
  const { store } = engine.context;
  const by = (association: string) => (payload: JsonObject) => {
    const { issue, comment } = payload as { issue: object; comment?: object };
    const written = { author_association: association };
    return {
      ...payload,
      issue: { ...issue, ...written, number: 88 },
      ...(comment && { comment: { ...comment, ...written } }),
    };
  };
  const opened = await engine.deliver('github', 'issues.opened', by('NONE'));
  const id = opened.tasks[0]?.id ?? '';
  expect(store.task(id)?.status).toBe('waiting_approval');
  const refused = await engine.deliver('github', 'issue_comment.created', by('NONE'), '@agent approve');
  expect(refused.delivery.status).toBe('ignored');
  await engine.ended((await engine.task('Something else', { agent: 'planning' })).id);
  expect(store.task(id)?.status).toBe('waiting_approval');
  expect(store.runsOfTask(id)).toEqual([]);
  await engine.deliver('github', 'issue_comment.created', by('OWNER'), '@agent approve');
  expect((await engine.ended(id)).state).toBe('completed');
});

test('no agent runs a task of an unverified delivery', async () => {
  const trigger =
    'webhooks: { github: { targetAgent: planning, commands: [{ name: analyze }, { trigger: issues.labeled }] } }\n';
  const engine = await startAgents({ yaml: trigger + planning(''), insecure: ['github'] });
  const { tasks } = await engine.deliver('github', 'issues.labeled');
  const run = await openRun(engine, tasks[0]?.id ?? '', 'waiting');
  expect(run.reason).toBe('its delivery was not verified, so no agent runs on it');
  const child = await engine.task('Below it', { parentId: tasks[0]?.id ?? '', agent: 'planning' });
  expect((await openRun(engine, child.id, 'waiting')).reason).toBe(run.reason);
});

test('cancelling a task ends its run, and `@agent stop` ends what runs and waits in its thread', async () => {
  const yaml = `agents: { planning: { use: command, program: ./fake-agent } }\n`;
  const engine = await startAgents({ yaml });
  const { store } = engine.context;
  const typed = await engine.task('A\ndo: hang', { agent: 'planning' });
  await eventually('it to hang', () => dumpsIn(engine.folder)[0]);
  await changeTask(engine.context, typed.id, 'cancel', { actor: 'cli', error: 'not needed' }, 'here');
  engine.scheduler.wake();
  const run = await engine.ended(typed.id);
  expect(run).toMatchObject({ state: 'cancelled', reason: 'not needed', signal: 'SIGTERM' });
  expect(isAlive(dumpsIn(engine.folder)[0]?.pid ?? 0)).toBe(false);
  expect(store.task(typed.id)?.status).toBe('cancelled');

  const child = { externalId: 'github:octocat/hello#77', agent: 'planning' };
  const comment = await engine.deliver('github', 'issue_comment.created', onIssue(77));
  const flow = comment.tasks[0]?.flowId ?? '';
  const externalId = comment.tasks[0]?.externalId ?? child.externalId;
  await engine.ended(comment.tasks[0]?.id ?? '');
  const [running, queued] = [
    await engine.task('B\ndo: hang', { ...child, externalId }),
    await engine.task('C\ndo: answer', { ...child, externalId }),
  ];
  await openRun(engine, running.id, 'running');
  const stop = await engine.deliver('github', 'issue_comment.created', onIssue(77), '@agent stop');
  expect(stop.delivery.status).toBe('processed');
  expect(stop.delivery.decisions[0]).toMatchObject({ command: 'stop', fired: true });
  expect((await engine.ended(running.id)).state).toBe('cancelled');
  for (const { id } of [running, queued])
    expect(store.task(id)).toMatchObject({ status: 'cancelled', flowId: flow });
  await eventually('its run to be forgotten', () => store.runsOfTask(queued.id).length === 0);

  const stranger = await engine.deliver(
    'github',
    'issue_comment.created',
    (payload) => ({
      ...onIssue(77)(payload),
      comment: { ...(payload.comment as object), author_association: 'NONE' },
    }),
    '@agent stop',
  );
  expect(stranger.delivery.status).toBe('ignored');
  expect(stranger.delivery.reason).toContain('may not command');
});

test('the result edits the one comment; where the agent completed the task itself, what it took is added', async () => {
  const engine = await startAgents({
    yaml: `${planning('').replace('use: command, program: ./quick', 'use: claude, program: ./fake-agent')}credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`,
    env: { TOKEN: 't' },
  });
  const posts = (id: string) =>
    apis()
      .posts.filter(({ text }) => text.includes(id))
      .map(({ text }) => text);
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(501));
  const id = tasks[0]?.id ?? '';
  await engine.ended(id);
  await eventually('the comment', () => posts(id)[0]?.includes('✅ It is done.'));
  expect(posts(id)).toHaveLength(1);
  expect(posts(id)[0]).toContain('$0.25');

  const waiting = await engine.deliver(
    'github',
    'issue_comment.created',
    onIssue(502),
    '@agent plan\ndo: wait go',
  );
  const other = waiting.tasks[0]?.id ?? '';
  await openRun(engine, other, 'running');
  await changeTask(engine.context, other, 'complete', { actor: 'claude' }, 'here');
  writeFileSync(join(engine.folder, 'go'), '');
  expect((await engine.ended(other)).state).toBe('completed');
  const { result, usage } = engine.context.store.task(other) ?? {};
  expect([typeof result, usage?.costUsd]).toEqual(['string', 0.25]);
  await eventually('the comment', () => posts(other)[0]?.includes('$0.25'));
  expect(posts(other)).toHaveLength(1);
  expect(engine.moved(), 'E26: its end was told when the agent said it').not.toContain(`${other} completed`);
  expect(engine.moved()).toContain(`${id} completed`);
});

test('a run that the end of hookctl interrupts fails its task, or is repeated where the agent says so', async () => {
  const yaml = `agents:
  brain: { use: command, program: ./fake-agent }
  again: { use: command, program: ./fake-agent, rerunOnCrash: true }\n`;
  const engine = await startAgents({ yaml });
  const { store } = engine.context;
  const once = await engine.task('A\ndo: hang');
  const twice = await engine.task('B\ndo: hang', { agent: 'again' });
  await eventually('both to hang', () => dumpsIn(engine.folder).length === 2);
  await engine.scheduler.close();
  for (const [{ id }, next] of [
    [once, `repeat it: hookctl task retry ${once.id}`],
    [twice, 'it is repeated'],
  ] as const) {
    const reason = `hookctl was stopped; ${next}`;
    expect(store.runsOfTask(id)).toMatchObject([{ state: 'interrupted', reason }]);
  }
  expect(store.task(once.id)?.status).toBe('failed');
  expect(store.task(twice.id)?.status).toBe('queued');
  for (const { pid } of dumpsIn(engine.folder)) expect(isAlive(pid)).toBe(false);
});
