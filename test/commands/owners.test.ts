import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/local/index.ts';
import { comment } from '../contracts/store/fixtures.ts';
import { readable } from '../store/fixtures.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../store/records.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await sandboxForFile();
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  const store = readable(await openStore({ path: join(sandbox.dataFolder, 'hookctl.db') }));
  for (const [at, owner] of ['operator', 'ada', 'ada', 'bob'].entries()) {
    const receivedAt = Date.now() - 60_000;
    await store.accept(
      newDelivery(`dlv-z${at}`, { owner, dedupeKeys: [], receivedAt, webhook: `of-${owner}` }),
    );
    const task = taskInFlow(`task-z${at}`, { flowId: `flow-${at}`, externalId: `x:${at}` });
    await store.recordOutcome({
      ...outcome(`dlv-z${at}`, { tasks: [task], outgoing: [comment(`out-${at}`)] }),
      settledAt: receivedAt + 10,
    });
    await store.recordAudit([
      {
        ...{ at: NOW, actor: { kind: 'cli', name: 'ada' }, what: 'task.approve', target: `task-z${at}` },
        ...{ owner, details: {}, revision: null },
      },
    ]);
  }
  await store.close();
});

const LISTS = ['delivery', 'task', 'flow', 'conversation', 'outbox', 'audit'];

test.each(LISTS)('%s list: --owner selects, and a column says whose a row is', async (noun) => {
  const owners = async (...args: readonly string[]) =>
    (await tellJson<readonly { owner: string }[]>(sandbox, noun, 'list', '--json', ...args)).map(
      ({ owner }) => owner,
    );
  expect((await owners()).toSorted()).toEqual(['ada', 'ada', 'bob', 'operator']);
  expect(await owners('--owner', 'ada')).toEqual(['ada', 'ada']);
  expect(await owners('--owner', 'operator')).toEqual(['operator']);
  expect((await tell(sandbox, noun, 'list', '--owner', 'bob')).stdout).toMatch(/\bOWNER\b[\s\S]*\bbob\b/);
  expect((await tell(sandbox, noun, 'list', '--owner', 'operator')).stdout).not.toContain('OWNER');
});

test('an owner that does not exist is an error with a suggestion, in lists and reports', async () => {
  for (const args of [
    ['task', 'list'],
    ['stats'],
    ['spend'],
    ['status'],
    ['delivery', 'prune', '--samples'],
  ]) {
    const { code, stderr } = await tell(sandbox, ...args, '--owner', 'adda');
    expect([code, stderr], args.join(' ')).toEqual([4, expect.stringContaining('Did you mean ada?')]);
  }
});

test('a cut list goes on with its owner', async () => {
  const { stderr } = await tell(sandbox, 'task', 'list', '--owner', 'ada', '--limit', '1');
  expect(stderr.trimEnd()).toBe(
    '1 of 2; next page: hookctl task list --owner ada --limit 1 --before task-z2',
  );
});

test('stats --by owner and of one owner; spend by owner', async () => {
  const rows = async (...args: readonly string[]) =>
    (
      await tellJson<{ rows: readonly { name: string; deliveries: number; tasks: number }[] }>(
        sandbox,
        'stats',
        '--json',
        ...args,
      )
    ).rows.map(({ name, deliveries, tasks }) => [name, deliveries, tasks]);
  expect(await rows('--by', 'owner')).toEqual([
    ['ada', 2, 2],
    ['bob', 1, 1],
    ['operator', 1, 1],
  ]);
  expect(await rows('--owner', 'ada')).toEqual([['of-ada', 2, 2]]);
  expect(await tell(sandbox, 'spend', '--by', 'owner')).toMatchObject({ code: 0 });
});

test('status: counts of each owner, and of one alone', async () => {
  const all = await tellJson<{ owners: object[]; tasks: object }>(sandbox, 'status', '--json');
  expect(all.owners).toEqual([
    { owner: 'ada', deliveries: 2, tasks: 2 },
    { owner: 'bob', deliveries: 1, tasks: 1 },
  ]);
  const own = await tellJson<{ totals: { deliveries: number }; tasks: object }>(
    sandbox,
    ...['status', '--owner', 'ada', '--json'],
  );
  expect([own.totals.deliveries, own.tasks]).toEqual([2, { queued: 2 }]);
});

test('webhook add, list, show and edit take owner and labels', async () => {
  const add = (name: string, owner: string, label: string) =>
    tell(sandbox, 'webhook', 'add', 'generic', '--name', name, '--owner', owner, '--label', label);
  expect((await add('one', 'ada', 'billing')).code).toBe(0);
  expect((await add('two', 'ada', 'canary')).code).toBe(0);
  expect((await add('three', 'Bob!', 'x')).code).toBe(3);
  const names = async (...args: readonly string[]) =>
    (await tellJson<readonly { name: string }[]>(sandbox, 'webhook', 'list', '--json', ...args)).map(
      ({ name }) => name,
    );
  expect(await names('--owner', 'ada')).toEqual(['one', 'two']);
  expect(await names('--label', 'canary')).toEqual(['two']);
  const { stdout } = await tell(sandbox, 'webhook', 'list', '--owner', 'ada');
  expect(stdout).toContain('one');
  expect(stdout).not.toContain('github');
  expect((await tell(sandbox, 'webhook', 'show', 'one')).stdout).toMatch(
    /owner\s+ada[\s\S]*labels\s+billing/,
  );
  await tell(sandbox, 'webhook', 'edit', 'one', '--owner', 'bob', '--clear', 'labels');
  expect(await names('--owner', 'ada')).toEqual(['two']);
  const audit = await tellJson<readonly { what: string; owner: string }[]>(
    sandbox,
    ...['audit', 'list', '--what', 'webhook', '--json'],
  );
  expect(audit.map(({ what, owner }) => `${what} ${owner}`)).toEqual([
    'webhook.edit bob',
    'webhook.add ada',
    'webhook.add ada',
  ]);
});
