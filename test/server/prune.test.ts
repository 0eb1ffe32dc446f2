import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import { newDelivery, outcome, taskInFlow } from '../store/records.ts';
import { spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled } from '../support/server.ts';

const DAY = 24 * 60 * 60 * 1000;

/** Ids of deliveries that were worked off so many days ago, and of one that waits since the oldest. */
async function storedSince(sandbox: Sandbox, days: readonly number[]) {
  // Makes the folder and the store.
  expect((await tell(sandbox, 'webhook', 'add', 'github', '--name', 'any')).code).toBe(0);
  const store = await openStore({ path: databasePath(sandbox.dataFolder) });
  const idOf = (age: number) => createIds(() => Date.now() - age * DAY).next('dlv');
  const pending = idOf(Math.max(...days));
  await store.accept(newDelivery(pending));
  const done: string[] = [];
  for (const age of days) {
    const id = idOf(age);
    done.push(id);
    await store.accept(newDelivery(id));
    await store.recordOutcome(outcome(id));
  }
  await store.close();
  return { done, pending };
}

const kept = (sandbox: Sandbox, ids: readonly string[]) =>
  readStore(sandbox, (reader) => ids.map((id) => reader.body(id) !== null));

test('`delivery prune` takes what webhooks.yml says, `--before` what is typed; pending never goes', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': 'retention: { age: 20d }\n' } });
  const { done, pending } = await storedSince(sandbox, [40, 25, 10, 0]);
  const all = [...done, pending];
  const dry = await tellJson<object>(sandbox, 'delivery', 'prune', '--dry-run');
  expect(dry).toMatchObject({ deliveries: 2, freed_bytes: 0 });
  expect(kept(sandbox, all)).toEqual([true, true, true, true, true]);

  expect(await tellJson(sandbox, 'delivery', 'prune', '--before', '30d')).toMatchObject({ deliveries: 1 });
  expect(kept(sandbox, all)).toEqual([false, true, true, true, true]);
  const { stdout, code } = await tell(sandbox, 'delivery', 'prune');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Removed the bytes of 1 delivery \(/)]);
  expect(kept(sandbox, all)).toEqual([false, false, true, true, true]);
  expect(await tellJson(sandbox, 'delivery', 'prune')).toMatchObject({ deliveries: 0, bytes: 0 });

  const lines = readStore(sandbox, (reader) => reader.audit({ what: 'delivery.prune' }));
  expect(lines.map(({ actor, details }) => [actor.kind, details.deliveries])).toEqual([
    ['cli', 0],
    ['cli', 1],
    ['cli', 1],
  ]);
  const mistake = await tell(sandbox, 'delivery', 'prune', '--before', 'yesterday');
  expect([mistake.code, mistake.stderr]).toEqual([
    2,
    expect.stringContaining('--before yesterday is not a time'),
  ]);
});

test('beyond the size that webhooks.yml allows the oldest go as well, and a dry run says so', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': 'retention: { size: 1KB }\n' } });
  const { done, pending } = await storedSince(sandbox, [2, 1]);
  expect((await tell(sandbox, 'delivery', 'prune', '--dry-run')).stderr).toMatch(/the oldest go as well/);
  expect(await tellJson(sandbox, 'delivery', 'prune')).toMatchObject({ deliveries: 2 });
  expect(kept(sandbox, [...done, pending])).toEqual([false, false, true]);
});

test('with a server it goes through that one, which gives the disk its segments back', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const { id } = await signedPost(server.url, comment('hello'));
  await settled(sandbox, id);
  const soon = new Date(Date.now() + 60_000).toISOString();
  expect(await tellJson(sandbox, 'delivery', 'prune', '--before', soon, '--dry-run')).toMatchObject({
    deliveries: 1,
  });
  const pruned = await tellJson<{ freed_bytes: number }>(sandbox, 'delivery', 'prune', '--before', soon);
  expect(pruned.freed_bytes).toBeGreaterThan(0);
  expect(kept(sandbox, [id])).toEqual([false]);
  expect(await tellJson(sandbox, 'delivery', 'prune')).toMatchObject({ deliveries: 0 });
  const lines = readStore(sandbox, (reader) => reader.audit({ what: 'delivery.prune' }));
  expect(lines).toMatchObject([{ details: { deliveries: 0 } }, { details: { deliveries: 1 } }]);
});

test('E15: `task prune` that is killed leaves whole tasks, and goes on at the next call', async () => {
  const sandbox = await sandboxForTest();
  expect((await tell(sandbox, 'webhook', 'add', 'github', '--name', 'any')).code).toBe(0);
  const tasksFolder = join(sandbox.claudeFolder, 'tasks');
  mkdirSync(tasksFolder, { recursive: true });
  const path = databasePath(sandbox.dataFolder);
  const store = await openStore({ path });
  const ids = createIds(() => Date.now() - 40 * DAY);
  const tasks = Array.from({ length: 1_000 }, () => {
    const id = ids.next('task');
    writeFileSync(join(tasksFolder, `claude-task-${id}.json`), '{}');
    const task = { sourceMetadata: { claude_task_id: `claude-task-${id}` } };
    return taskInFlow(id, { flowId: `flow-${id}`, task });
  });
  const delivery = ids.next('dlv');
  await store.accept(newDelivery(delivery));
  await store.recordOutcome(outcome(delivery, { tasks }));
  await store.close();
  const db = new DatabaseSync(path);
  db.exec("update tasks set status = 'completed', completed_at = 1");
  const count = () => Number(db.prepare('select count(*) as n from tasks').get()?.n);

  const running = spawnCli(sandbox, ['task', 'prune', '--before', '30d', '--yes']);
  await eventually('some tasks to be gone', () => count() < tasks.length);
  running.child.kill('SIGKILL');
  await running.ended;
  const left = count();
  expect(left).toBeGreaterThan(0);
  expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
  const stored = new Set(
    db
      .prepare('select id from tasks')
      .all()
      .map(({ id }) => `claude-task-${id}.json`),
  );
  const records = () => readdirSync(tasksFolder).filter((name) => name.startsWith('claude-task-'));
  expect(records().filter((name) => !stored.has(name))).toEqual([]);
  expect(db.prepare('select count(*) as n from flows').get()?.n).toBe(left);

  const again = await tellJson<{ tasks: number }>(sandbox, 'task', 'prune', '--before', '30d', '--yes');
  expect([again.tasks, count(), records()]).toEqual([left, 0, []]);
  db.close();
});
