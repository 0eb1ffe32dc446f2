import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, expect, test } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import type { TaskChange } from '../../src/store/tasks.ts';
import type { PrunedTasks } from '../../src/tasks/prune.ts';
import type { NewOutgoing, Task } from '../../src/types.ts';
import { newDelivery, outcome, taskInFlow } from '../store/records.ts';
import { tell, tellJson, tellPerson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore } from '../support/server.ts';

const DAY = 24 * 3_600_000;
const now = Date.now();
const old = now - 40 * DAY;
const spent = { costUsd: null, inputTokens: null, outputTokens: null };
const waiting: NewOutgoing = {
  ...{ id: 'out-unsent', kind: 'comment', place: { host: null }, content: 'done' },
  ...{ edits: null, privateNetwork: false },
};

let sandbox: Sandbox;
let later: ReturnType<typeof createIds>;

/** A delivery with one task that is queued; both came at this time. */
async function made(store: Store, name: string, at: number, isSample = false): Promise<string> {
  const ids = createIds(() => at);
  const [delivery, id] = [ids.next('dlv'), ids.next('task')];
  await store.accept(newDelivery(delivery, { receivedAt: at, isSample, dedupeKeys: [`id:${name}`] }));
  const flow = { flowId: `flow-${name}`, newConversationId: `conv-${name}` };
  const outgoing = [{ ...waiting, id: `out-${name}` }];
  await store.recordOutcome(
    outcome(delivery, {
      tasks: [taskInFlow(id, { ...flow, task: { title: name } })],
      outgoing,
      settledAt: at,
    }),
  );
  const isSent = name !== 'unsent';
  await store.beginOutgoing(`out-${name}`);
  await store.noteOutgoing(`out-${name}`, {
    ...{ status: isSent ? 'sent' : 'waiting', reason: null, uncertain: false, remoteId: isSent ? '1' : null },
    ...{ nextAttemptAt: now + DAY, settledAt: isSent ? at : null },
  });
  return id;
}

async function child(store: Store, parent: Task | null, dependsOn: readonly string[] = []): Promise<string> {
  const { task } = taskInFlow(later.next('task'), { task: { title: 'child' } });
  await store.createTask({
    ...{ task, source: 'cli', actor: 'cli', owner: 'operator', parent, dependsOn, at: now },
    startNewConversation: false,
    ...{ flowId: parent?.flowId ?? 'flow-typed', externalId: 'cli:typed', newConversationId: 'conv-typed' },
  });
  return task.id;
}

async function ended(store: Store, id: string, at: number): Promise<string> {
  const change: TaskChange = {
    ...{ taskId: id, event: 'cancel', from: 'queued', to: 'cancelled', isEnd: true, actor: 'cli', spent, at },
    ...{ reason: null, result: null, error: null, reply: null },
  };
  expect(await store.changeTask(change)).not.toBeNull();
  return id;
}

const task = (store: Store, id: string) => store.task(id);
const db = () => new DatabaseSync(databasePath(sandbox.dataFolder), { readOnly: true });
const count = (table: string) => Number(db().prepare(`select count(*) as n from ${table}`).get()?.n);
const titles = () =>
  readStore(sandbox, (reader) =>
    reader
      .tasks()
      .map(({ title }) => title)
      .toSorted(),
  );

beforeAll(async () => {
  sandbox = await sandboxForFile();
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  later = createIds(() => now);
  const store = await openStore({ path: databasePath(sandbox.dataFolder) });
  for (const name of ['old', 'unsent', 'needed']) await ended(store, await made(store, name, old), old);
  await ended(store, await made(store, 'recent', now - DAY), now - DAY);
  for (const name of ['parent of open', 'parent of later']) {
    const parent = await made(store, name, old);
    const its = await child(store, task(store, parent));
    await ended(store, parent, old);
    if (name === 'parent of later') await ended(store, its, now - DAY);
  }
  const parent = await made(store, 'parent of old', old);
  await ended(store, await child(store, task(store, parent)), old);
  await ended(store, parent, old);
  const needed = store.tasks({ limit: 100 }).find(({ title }) => title === 'needed');
  await child(store, null, [needed?.id ?? '']);
  // A sample that ended, one that is open, with an open child.
  await ended(store, await made(store, 'ended sample', now - DAY, true), now - DAY);
  const sample = await made(store, 'open sample', now - DAY, true);
  await child(store, task(store, sample));
  // A run of today, of a task that is as old as the others.
  const withRun = store.tasks({ limit: 100 }).find(({ title }) => title === 'old');
  await store.close();
  const writing = new DatabaseSync(databasePath(sandbox.dataFolder));
  writing
    .prepare(
      `insert into runs (id, task_id, flow_id, conversation_id, agent, runner, state, cost_usd, created_at, started_at, ended_at)
       values ('run-1', ?, 'flow-old', 'conv-old', 'planning', 'claude', 'completed', 2.5, ?, ?, ?)`,
    )
    .run(withRun?.id ?? '', now - 1_000, now - 1_000, now);
  writing.close();
});

const STAYS = [
  ['a reply about them is still to be sent', 1],
  ['a task that belongs to them ended later', 1],
  ['a task that belongs to them is open', 1],
  ['an open task depends on them', 1],
];
const kept = (view: PrunedTasks) =>
  view.kept.map(({ reason, tasks }) => [reason, tasks] as const).toSorted(([a], [b]) => (a < b ? -1 : 1));

test('task prune: prints what would be removed and what stays, and asks first', async () => {
  const dry = await tellJson<PrunedTasks>(sandbox, 'task', 'prune', '--before', '30d', '--dry-run');
  expect([dry.tasks, dry.cancelled, kept(dry)]).toEqual([3, 0, STAYS]);
  const words = await tell(sandbox, 'task', 'prune', '--dry-run');
  expect([words.code, words.stdout]).toEqual([0, '3 tasks would be removed.\n']);
  expect(words.stderr).toContain(
    '1 task stays: an open task depends on them.\n  See it: hookctl task show task-',
  );

  const before = titles();
  const refused = await tell(sandbox, 'task', 'prune', '--before', '30d');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/would remove 3 tasks.*no terminal[\s\S]*hookctl task prune --before 30d --yes/),
  ]);
  const declined = await tellPerson(sandbox, 'n', 'task', 'prune', '--before', '30d');
  expect([declined.code, declined.stderr]).toEqual([0, expect.stringContaining('Nothing was removed.')]);
  const wrong = await tell(sandbox, 'task', 'prune', '--before', 'yesterday', '--yes');
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('--before yesterday is not a time'),
  ]);
  expect(titles()).toEqual(before);
});

test('task prune --before: removes whole task trees with all their rows', async () => {
  const spentBefore = readStore(sandbox, (reader) => [
    reader.spent(now - DAY),
    reader.spent(now - DAY, { flowId: 'flow-old' }),
  ]);
  expect(spentBefore).toMatchObject([{ runs: 1, endedUsd: 2.5 }, { runs: 1 }]);
  const lastEvent = readStore(sandbox, (reader) => reader.newestTransition());
  const pruned = await tellPerson(sandbox, 'y', 'task', 'prune', '--before', '30d');
  expect([pruned.code, pruned.stdout]).toEqual([0, expect.stringContaining('3 tasks removed.')]);
  expect(`${pruned.stdout}${pruned.stderr}`.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(titles()).toEqual(
    [
      ...['child', 'child', 'child', 'child', 'ended sample', 'needed', 'open sample'],
      ...['parent of later', 'parent of open', 'recent', 'unsent'],
    ].toSorted(),
  );

  expect(db().prepare('pragma foreign_key_check').all()).toEqual([]);
  expect(count('runs')).toBe(0);
  expect(count('tasks')).toBe(11);
  const orphans = 'select count(*) as n from task_transitions where task_id not in (select id from tasks)';
  expect(db().prepare(orphans).get()?.n).toBe(0);
  readStore(sandbox, (reader) => {
    expect([reader.flows({ id: 'flow-old' }), reader.conversations({ flowId: 'flow-old' })]).toEqual([
      [],
      [],
    ]);
    expect(reader.flows({ id: 'flow-recent' })).toHaveLength(1);
    expect([reader.outgoing('out-old'), reader.outgoing('out-recent')?.status]).toEqual([null, 'sent']);
    expect([reader.spent(now - DAY), reader.spent(now - DAY, { flowId: 'flow-old' })]).toEqual(spentBefore);
    expect(reader.newestTransition()).toBe(lastEvent);
    expect(reader.audit({ what: 'task.prune' })).toMatchObject([{ details: { tasks: 3, samples: false } }]);
  });
  const again = await tellJson<PrunedTasks>(sandbox, 'task', 'prune', '--before', '30d', '--yes');
  expect([again.tasks, kept(again)]).toEqual([0, STAYS]);
});

test('task prune --samples: cancels and removes only samples, which lists mark', async () => {
  const listed = await tellJson<{ title: string; sample: boolean }[]>(sandbox, 'task', 'list');
  expect(
    listed
      .filter(({ sample }) => sample)
      .map(({ title }) => title)
      .toSorted(),
  ).toEqual(['child', 'ended sample', 'open sample']);
  expect((await tell(sandbox, 'task', 'list')).stdout).toMatch(/cancelled \(sample\)/);
  expect((await tell(sandbox, 'delivery', 'list')).stdout.match(/processed \(sample\)/g)).toHaveLength(2);
  const deliveries = count('deliveries');

  const dry = await tellJson<PrunedTasks>(sandbox, 'task', 'prune', '--samples', '--dry-run');
  expect(dry).toEqual({ tasks: 3, cancelled: 2, kept: [] });
  const { code, stdout } = await tell(sandbox, 'task', 'prune', '--samples', '--yes');
  expect([code, stdout]).toEqual([0, '3 tasks removed, 2 of them cancelled first.\n']);
  expect(titles()).not.toContain('open sample');
  expect(count('deliveries')).toBe(deliveries);

  const bodies = await tellJson<{ deliveries: number }>(sandbox, 'delivery', 'prune', '--samples');
  expect(bodies.deliveries).toBe(2);
  const none = await tell(sandbox, 'task', 'prune', '--samples');
  expect([none.code, none.stdout]).toEqual([0, 'No tasks of samples.\n']);
});

test('task prune: the same delivery is still a duplicate, and new events have new ids', async () => {
  const used = db().prepare("select seq from sqlite_sequence where name = 'task_transitions'").get()?.seq;
  const store = await openStore({ path: databasePath(sandbox.dataFolder) });
  for (const name of ['old', 'ended sample']) {
    const again = await store.accept(newDelivery(later.next('dlv'), { dedupeKeys: [`id:${name}`] }));
    expect([name, again.status]).toEqual([name, 'duplicate']);
  }
  await made(store, 'after', now);
  expect(store.newestTransition()).toBe(Number(used) + 1);
  await store.close();
});
