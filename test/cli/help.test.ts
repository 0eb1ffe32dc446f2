import { beforeAll, describe, expect, test } from 'vitest';
import type { TaskView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await sandboxForFile();
});

describe('help', () => {
  test('`help` and `help <command>` print what `--help` does', async () => {
    expect(await tell(sandbox, 'help')).toEqual(await tell(sandbox, '--help'));
    expect(await tell(sandbox, 'help', 'delivery')).toEqual(await tell(sandbox, 'delivery', '--help'));
  });

  test.each([
    [['bogus'], /unknown command 'bogus'\nSee hookctl --help/],
    [['delivery', 'bogus'], /unknown command 'bogus'\nSee hookctl delivery --help/],
    [['task', 'list', '--limit', 'x'], /invalid\. It must be a whole number from 1\./],
  ])('%j says where to read on', async (args, said) => {
    const told = await tell(sandbox, ...args);
    expect([told.code, told.stderr]).toEqual([2, expect.stringMatching(said)]);
  });

  test('shows defaults as they are typed, and no empty lists', async () => {
    expect((await tell(sandbox, 'trigger', '--help')).stdout).not.toContain('[]');
    expect((await tell(sandbox, 'webhook', 'rotate-secret', '--help')).stdout).toContain('(default: 24h)');
  });
});

describe('a list without matches', () => {
  test('names the filters, and the total without them', async () => {
    await tellJson<TaskView>(sandbox, 'task', 'create', 'One');
    const told = await tell(sandbox, 'task', 'list', '--status', 'failed');
    expect([told.code, told.stdout]).toEqual([0, '']);
    expect(told.stderr).toBe(`No tasks match --status failed (1 task in ${sandbox.dataFolder}).\n`);
    const deliveries = await tell(sandbox, 'delivery', 'list', '--webhook', 'github');
    expect(deliveries.stderr).toBe(`No deliveries in ${sandbox.dataFolder}.\n`);
  });

  test.each(['task', 'delivery'])('%s list --before an id that does not exist: exit 4', async (noun) => {
    const told = await tell(sandbox, noun, 'list', '--before', 'none-such');
    expect([told.code, told.stderr]).toEqual([4, expect.stringContaining('there is no none-such')]);
  });
});

test('tunnel status --json: prints null and fails without a tunnel', async () => {
  const told = await tell(sandbox, 'tunnel', 'status', '--json');
  expect([told.code, told.stdout]).toEqual([1, 'null\n']);
  expect(told.stderr).toContain('no server works on');
});

test('trigger --list --json: prints an array of samples', async () => {
  const samples = await tellJson(sandbox, 'trigger', 'github', '--list');
  expect(samples).toContainEqual({ provider: 'github', type: 'issues.opened' });
});

describe('a trigger', () => {
  const added = (...args: string[]) => tell(sandbox, 'webhook', 'command', 'add', 'doubt', ...args);

  beforeAll(async () => {
    await tellJson(sandbox, 'webhook', 'add', 'github', '--name', 'doubt');
  });

  test.each([
    ['issues.opend', 'GitHub is not known to send issues.opend; did you mean issues.opened?'],
    ['release.*', 'hookctl has no sample of release.*: make sure that GitHub sends it'],
  ])('%s is taken, but doubted, and no sample of it is recommended', async (trigger, doubt) => {
    const told = await added('--trigger', trigger, '--template', 'x');
    expect(told.code).toBe(0);
    expect(told.stderr).toContain(doubt);
    expect(told.stderr).toContain('Next: hookctl webhook show doubt');
  });

  test('of a pattern: the hint names a sample that matches', async () => {
    const told = await added('--trigger', 'pull_request.*', '--template', 'x');
    expect(told.stderr).not.toMatch(/not known|no sample/);
    expect(told.stderr).toContain('Next: hookctl trigger github pull_request.opened --webhook doubt');
  });
});

test('task steps: report that a task already has the status', async () => {
  const { id } = await tellJson<TaskView>(sandbox, 'task', 'create', 'Once', '--requires-approval');
  for (const [verb, status] of [
    ['approve', 'queued'],
    ['start', 'running'],
    ['complete', 'completed'],
  ] as const) {
    expect((await tell(sandbox, 'task', verb, id)).stderr).not.toContain('already');
    const again = await tell(sandbox, 'task', verb, id);
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringContaining(`${id} is already ${status}: nothing was changed`),
    ]);
  }
});
