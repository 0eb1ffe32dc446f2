import { expect, test } from 'vitest';
import type { StatusView } from '../../src/server/status.ts';
import type { TaskView } from '../../src/views.ts';
import { eventually } from '../support/eventually.ts';
import { tell, tellJson, tellPerson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';

const AGENTS = 'agents: { planning: { use: command, program: cat, concurrency: 4 } }\n';

const make = async (sandbox: Sandbox, ...args: readonly string[]) =>
  (await tellJson<TaskView>(sandbox, 'task', 'create', ...args)).id;

/** A folder in which three tasks are queued for an agent that nobody has configured, and one for another agent. */
async function withBacklog() {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': '' } });
  const tasks = [];
  for (const prompt of ['one', 'two', 'three'])
    tasks.push(await make(sandbox, prompt, '--agent', 'planning'));
  await make(sandbox, 'other', '--agent', 'brain');
  return { sandbox, tasks };
}

const statuses = (sandbox: Sandbox, ids: readonly string[]) =>
  readStore(sandbox, (reader) => ids.map((id) => reader.task(id)?.status));
const problems = async (sandbox: Sandbox) =>
  (await tellJson<StatusView>(sandbox, 'status')).problems.join('\n');
const HELD = '3 tasks were queued for planning before it was configured, and wait';

test('E3: what was queued before its agent was configured waits for a release; what comes later runs at once', async () => {
  const { sandbox, tasks } = await withBacklog();
  await sandbox.write('webhooks.yml', AGENTS);
  const server = await serveHere(sandbox, []);
  expect(server.stderr()).toContain(HELD);
  expect(server.stderr()).toContain('hookctl task release planning');
  expect(await problems(sandbox)).toContain(`${HELD}. Run them: hookctl task release planning`);

  const later = await make(sandbox, 'later', '--agent', 'planning');
  const sameThread = await make(sandbox, 'next', '--agent', 'planning', '--parent', tasks[0] ?? '');
  await eventually('the newer tasks to run', () =>
    statuses(sandbox, [later, sameThread]).every((status) => status === 'completed'),
  );
  expect(statuses(sandbox, tasks)).toEqual(['queued', 'queued', 'queued']);
  const [listed] = await tellJson<readonly { run: { reason: string } }[]>(
    sandbox,
    'task',
    'list',
    '--before',
    later,
  );
  expect(listed?.run?.reason ?? 'brain').toMatch(/before planning was configured|brain/);
  await server.stop();

  // It lasts over a restart, also over one without the agent.
  const again = await serveHere(sandbox, []);
  expect(again.stderr()).toContain(HELD);
  expect(await tell(sandbox, 'task', 'release', 'planing')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Did you mean planning?'),
  });
  expect(await tellJson(sandbox, 'task', 'release', 'planning')).toEqual({ agent: 'planning', tasks: 3 });
  await eventually('the released tasks to run', () =>
    statuses(sandbox, tasks).every((status) => status === 'completed'),
  );
  expect(await problems(sandbox)).not.toContain('planning');
  expect((await tell(sandbox, 'task', 'release', 'planning')).code).toBe(4);
  expect(readStore(sandbox, (reader) => reader.audit({ what: 'task.release' }))).toMatchObject([
    { target: 'planning', details: { tasks: 3 } },
  ]);
});

test('E3: an agent that was taken out and comes back finds a backlog again; a task that a person retries runs', async () => {
  const { sandbox, tasks } = await withBacklog();
  const [first = '', ...others] = tasks;
  await sandbox.write('webhooks.yml', AGENTS);
  await (await serveHere(sandbox, [])).stop();
  expect((await tell(sandbox, 'task', 'release', 'planning')).code).toBe(0);
  await sandbox.write('webhooks.yml', '');
  await (await serveHere(sandbox, [])).stop();
  await tell(sandbox, 'task', 'cancel', first);
  await sandbox.write('webhooks.yml', AGENTS);
  const server = await serveHere(sandbox, []);
  expect(server.stderr()).toContain('2 tasks were queued for planning');
  expect((await tell(sandbox, 'task', 'retry', first)).code).toBe(0);
  await eventually('the retried task to run', () => statuses(sandbox, [first])[0] === 'completed');
  expect(statuses(sandbox, others)).toEqual(['queued', 'queued']);
});

test('E3: a backlog is cancelled at once, after a question or with --yes, and nothing else is', async () => {
  const { sandbox, tasks } = await withBacklog();
  const bulk = ['task', 'cancel', '--status', 'queued', '--agent', 'planning'];
  const refused = await tell(sandbox, ...bulk);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('this would cancel 3 tasks')]);
  expect(refused.stderr).toContain('hookctl task cancel --status queued --agent planning --yes');
  expect((await tellPerson(sandbox, 'n', ...bulk)).stderr).toContain('Nothing was cancelled.');
  expect(statuses(sandbox, tasks)).toEqual(['queued', 'queued', 'queued']);

  expect((await tellPerson(sandbox, 'y', ...bulk)).stdout).toBe('cancelled 3 tasks\n');
  expect(statuses(sandbox, tasks)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  const left = await tellJson<readonly TaskView[]>(sandbox, 'task', 'list', '--status', 'queued');
  expect(left.map(({ agent }) => agent)).toEqual(['brain']);

  for (const [args, code, words] of [
    [['task', 'cancel'], 2, 'no task to cancel is given'],
    [['task', 'cancel', tasks[0] ?? '', '--agent', 'planning'], 2, 'an id and filters exclude each other'],
    [['task', 'cancel', '--status', 'completed', '--yes'], 2, 'must be one of'],
    [['task', 'cancel', '--agent', 'planing', '--yes'], 4, 'Did you mean planning?'],
    [['task', 'cancel', '--agent', 'planning', '--yes'], 0, 'No open tasks match'],
  ] as const) {
    expect(await tell(sandbox, ...args), args.join(' ')).toMatchObject({
      code,
      stderr: expect.stringContaining(words),
    });
  }
});
