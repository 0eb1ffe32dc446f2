import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/local/index.ts';
import { newDelivery, outcome, recordWithoutRow, taskInFlow } from '../store/records.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';

let sandbox: Sandbox;
const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`);

beforeAll(async () => {
  sandbox = await sandboxForFile();
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  const store = await openStore({ path: join(sandbox.dataFolder, 'hookctl.db') });
  await Promise.all(
    numbered('dlv', 1_205).map((id, index) =>
      store.accept(newDelivery(id, index % 3 === 0 ? { webhook: 'My Hook' } : {})),
    ),
  );
  const tasks = numbered('task', 60).map((id, index) =>
    taskInFlow(id, { flowId: `flow-${index}`, externalId: `github:octo/repo#${index}` }),
  );
  await store.recordOutcome(outcome('dlv-0000', { tasks }));
  await store.recordAudit(
    numbered('line', 60).map((target) => ({
      ...{ at: 1, what: 'webhook.add', owner: 'operator', target, details: {}, revision: null },
      actor: { kind: 'cli', name: 'ada' },
    })),
  );
  await store.close();
});

test('lists: a cut list prints the total and the command for the next page', async () => {
  const cases = [
    [['delivery', 'list'], '50 of 1,205; next page: hookctl delivery list --before dlv-1155'],
    [
      ['delivery', 'list', '--webhook', 'My Hook', '--limit', '3', '--before=dlv-1000'],
      "3 of 402; next page: hookctl delivery list --webhook 'My Hook' --limit 3 --before dlv-0993",
    ],
    [
      ['delivery', 'list', '--json'],
      '50 of 1,205; next page: hookctl delivery list --json --before dlv-1155',
    ],
    [
      ['task', 'list', '--status', 'queued'],
      '50 of 60; next page: hookctl task list --status queued --before task-0010',
    ],
    [['flow', 'list', '--limit', '2'], /^2 of 60; next page: hookctl flow list --limit 2 --before flow-\d+$/],
    [['conversation', 'list'], '50 of 60; next page: hookctl conversation list --before conv-task-0010'],
    [
      ['audit', 'list', '--what', 'webhook'],
      '50 of 60; next page: hookctl audit list --what webhook --before 11',
    ],
  ] as const;
  for (const [args, next] of cases) {
    const { code, stderr } = await tell(sandbox, ...args);
    expect(code, args.join(' ')).toBe(0);
    if (typeof next === 'string') expect(stderr.trimEnd(), args.join(' ')).toBe(next);
    else expect(stderr.trimEnd(), args.join(' ')).toMatch(next);
  }
});

test('lists: a complete list and a last page print no next page', async () => {
  for (const args of [
    ['task', 'list', '--limit', '60'],
    ['task', 'list', '--before', 'task-0050'],
    ['task', 'list', '--limit', '10', '--before', 'task-0010'],
  ]) {
    expect(await tell(sandbox, ...args), args.join(' ')).toMatchObject({ code: 0, stderr: '' });
  }
});

test('lists: a filter with an unknown name is an error with a suggestion', async () => {
  const cases = [
    [['delivery', 'list', '--webhook', 'nope'], 4, 'there is no webhook nope\nKnown: My Hook, github'],
    [['delivery', 'list', '--webhook', 'githb'], 4, 'Did you mean github?'],
    [['delivery', 'list', '--webhook', 'githb', '--json'], 4, 'Did you mean github?'],
    [['delivery', 'list', '--status', 'proccessed'], 2, 'Did you mean processed?'],
    [['task', 'list', '--agent', 'planing'], 4, 'Did you mean planning?'],
    [['task', 'list', '--status', 'queud'], 2, 'Did you mean queued?'],
    [['task', 'list', '--flow', 'flow-nope'], 4, 'there is no flow flow-nope'],
    [['task', 'list', '--delivery', 'dlv-nope'], 4, 'there is no delivery dlv-nope'],
    [['conversation', 'list', '--flow', 'flow-nope'], 4, 'there is no flow flow-nope'],
    [['flow', 'list', '--external-id', 'github:octo/rep#59'], 4, 'Did you mean github:octo/repo#59?'],
    [['outbox', 'list', '--status', 'faild'], 2, 'Did you mean failed?'],
    [['audit', 'list', '--what', 'webhok'], 4, 'Did you mean webhook?'],
    [['replay', '--webhook', 'githb', '--yes'], 4, 'Did you mean github?'],
    [['replay', '--status', 'fialed', '--yes'], 2, 'Did you mean failed?'],
  ] as const;
  for (const [args, exit, words] of cases) {
    const { code, stderr, stdout } = await tell(sandbox, ...args);
    expect([code, stdout], args.join(' ')).toEqual([exit, '']);
    expect(stderr, args.join(' ')).toContain(words);
  }
  // Configured, but nothing came yet.
  expect(await tell(sandbox, 'delivery', 'list', '--webhook', 'jira')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('No deliveries match --webhook jira'),
  });
});

test('lists: the list of webhooks knows a delivery that is in the log alone', async () => {
  recordWithoutRow(sandbox.dataFolder, 'dlv-9999');
  expect((await tell(sandbox, 'webhook', 'list')).stdout).toContain('dlv-9999');
});
