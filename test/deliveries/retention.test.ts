import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { forget, prune } from '../../src/deliveries/retention.ts';
import { serveRetention } from '../../src/server/retention.ts';
import { openReader } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import { freshStore, newDelivery, outcome, storePath } from '../store/fixtures.ts';
import { callOver } from '../support/api.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const DAY = 24 * 60 * 60 * 1000;
const PACE = { first: 1, every: 5 };
const START = Date.UTC(2026, 0, 1);

function retain(
  { context }: TestEngine,
  settings: { readonly age: number; readonly size: number },
): readonly unknown[] {
  const errors: unknown[] = [];
  const { close } = serveRetention(context, settings, (error) => errors.push(error), PACE);
  onTestFinished(close);
  return errors;
}

/** A delivery that stays pending: nobody pushes it into the queue. */
async function pendingIn({ context }: TestEngine): Promise<string> {
  const id = context.ids.next('dlv');
  await context.store.accept(newDelivery(id));
  return id;
}

test('by age: bytes go, then rows after 90 days, records of old tasks go; what is pending stays for good', async () => {
  let now = START;
  const engine = await startEngine({ now: () => now });
  const { store, claude } = engine.context;
  const [done, open] = [
    await engine.deliver('github', 'issue_comment.created', onIssue(1)),
    await engine.deliver('github', 'issue_comment.created', onIssue(2)),
  ];
  const pending = await pendingIn(engine);
  const [doneTask, openTask] = [done.tasks[0]?.id ?? '', open.tasks[0]?.id ?? ''];
  const path = `/api/tasks/${doneTask}/complete`;
  await callOver(engine)({ method: 'POST', path, body: { result: 'done', source: 'cli' } });
  const record = (id: string) =>
    claude.state.on && existsSync(join(claude.state.tasksDir, `claude-task-${id}.json`));
  expect([record(doneTask), record(openTask)]).toEqual([true, true]);

  const errors = retain(engine, { age: 30 * DAY, size: 2 ** 40 });
  now = START + 29 * DAY;
  await prune(engine.context, [{ before: now - 30 * DAY }], { size: null });
  expect(store.body(done.delivery.id)).not.toBeNull();
  now = START + 31 * DAY;
  await eventually('the bytes to go', () => store.body(done.delivery.id) === null);
  expect(store.delivery(done.delivery.id)).toMatchObject({ status: 'processed', bodyRemovedAt: now });
  await eventually('the record of the finished task to go', () => !record(doneTask));
  expect([record(openTask), store.body(pending) === null]).toEqual([true, false]);

  now = START + 91 * DAY;
  await eventually('the rows to go', () => store.delivery(done.delivery.id) === null);
  expect(store.delivery(pending)?.status).toBe('pending');
  expect(store.body(pending)).not.toBeNull();
  expect(errors).toEqual([]);
});

test('what came while the clock was set to 1970 is as young as what came before it', async () => {
  let now = START;
  const engine = await startEngine({ now: () => now });
  const { store } = engine.context;
  const deliver = (issue: number) => engine.deliver('github', 'issue_comment.created', onIssue(issue));
  const before = await deliver(1);
  now = 10_000;
  const during = await deliver(2);
  const duplicate = engine.context.ids.next('dlv');
  const { senderDeliveryId } = during.delivery;
  await store.accept(newDelivery(duplicate, { dedupeKeys: [`id:${senderDeliveryId}`] }));
  now = START + DAY;
  const errors = retain(engine, { age: 30 * DAY, size: 2 ** 40 });
  await prune(engine.context, [{ before: now - 30 * DAY }], { size: null });
  await forget(engine.context, { age: 30 * DAY });
  expect([before, during].map(({ delivery }) => store.body(delivery.id) === null)).toEqual([false, false]);
  expect(store.delivery(duplicate)).toMatchObject({ status: 'duplicate', duplicateOf: during.delivery.id });

  now = START + 31 * DAY;
  await eventually('the bytes to go', () => store.body(during.delivery.id) === null);
  now = START + 91 * DAY;
  await eventually('all rows to go', () => store.deliveries().length === 0);
  expect(errors).toEqual([]);
});

test('a look that finds the clock moved by years removes nothing; the next one takes it as it is', async () => {
  let now = START;
  let asked = 0;
  const engine = await startEngine({ now: () => now });
  const { store } = engine.context;
  const { delivery } = await engine.deliver('github', 'issue_comment.created');
  const clock = {
    now() {
      asked += 1;
      return now;
    },
  };
  const settings = { age: 30 * DAY, size: 2 ** 40 };
  const once = { first: 20, every: 10 * DAY };
  const look = () => serveRetention({ ...engine.context, clock }, settings, () => undefined, once);

  const jumped = look();
  now = START + 5_000 * DAY;
  await eventually('the look', () => asked > 1);
  await jumped.close();
  expect(store.body(delivery.id)).not.toBeNull();

  const { close } = look();
  onTestFinished(close);
  await eventually('the bytes to go', () => store.body(delivery.id) === null);
});

test('by size: the oldest bytes go although they are young, what is pending stays', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const { delivery } = await engine.deliver('github', 'issue_comment.created');
  const pending = await pendingIn(engine);
  const errors = retain(engine, { age: 30 * DAY, size: 1 });
  await eventually('the bytes to go', () => store.body(delivery.id) === null);
  expect([store.body(pending) === null, store.delivery(delivery.id)?.status, errors]).toEqual([
    false,
    'processed',
    [],
  ]);
});

test('a reader of bodies whose segments retention deletes gets the right bytes or none, never an error', async () => {
  const path = storePath();
  const store = await freshStore(path);
  const ids = Array.from({ length: 600 }, (_, index) => `dlv-${String(index).padStart(4, '0')}`);
  await Promise.all(ids.map((id) => store.accept(newDelivery(id))));
  await Promise.all(ids.map((id) => store.recordOutcome(outcome(id))));
  const other = openReader({ path: databasePath(join(path, '..')) });
  onTestFinished(() => other?.close());
  let pruned = false;
  const pruning = prune({ store, clock: { now: Date.now } }, [{ before: Date.now() }], { size: 0 }).then(
    (what) => {
      pruned = true;
      return what;
    },
  );
  const wrong: string[] = [];
  let seen = 0;
  while (!pruned) {
    for (const id of ids) {
      const body = other?.body(id) ?? null;
      if (body !== null && Buffer.from(body).toString() !== `{"id":"${id}"}`) wrong.push(id);
      if (body !== null) seen += 1;
    }
    await turn();
  }
  expect(await pruning).toMatchObject({ deliveries: 600, freedBytes: expect.any(Number) });
  expect([wrong, seen > 0]).toEqual([[], true]);
  expect(ids.filter((id) => other?.body(id) !== null)).toEqual([]);
  expect(readdirSync(join(path, '..', 'bodies'))).toEqual(['00000002.log']);
});

test('F13: the cap on bytes is looked at when a segment’s worth came, not only every ten minutes', async () => {
  const engine = await startEngine();
  const { context } = engine;
  const hour = 3_600_000;
  const retention = serveRetention(
    context,
    { age: 30 * DAY, size: 4_000 },
    (error) => expect(error).toBeNull(),
    { first: hour, every: hour },
  );
  onTestFinished(retention.close);
  const first = await engine.deliver('github', 'issue_comment.created', onIssue(1));
  const second = await engine.deliver('github', 'issue_comment.created', onIssue(2));
  retention.stored(100);
  expect(context.store.logBytes()).toBeGreaterThan(4_000);
  retention.stored(second.delivery.size + 500);
  await eventually('the log within its cap', () => context.store.logBytes() <= 4_000);
  expect(context.store.delivery(first.delivery.id)?.bodyRemovedAt).not.toBeNull();
});

test('F13: rows have a cap, too: the oldest settled ones go, with their bytes', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const pending = await pendingIn(engine);
  const ids: string[] = [];
  for (let n = 1; n <= 6; n += 1) {
    ids.push((await engine.deliver('github', 'issue_comment.created', onIssue(n))).delivery.id);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const settings = { age: 365 * DAY, size: 2 ** 40, rows: 3 };
  const retention = serveRetention(engine.context, settings, (error) => expect(error).toBeNull(), PACE);
  onTestFinished(retention.close);
  await eventually('the oldest to go', () => store.delivery(ids[0] ?? '') === null);
  await eventually('the second to go', () => store.delivery(ids[1] ?? '') === null);
  expect(ids.slice(-3).map((id) => store.delivery(id)?.id)).toEqual(ids.slice(-3));
  expect(store.delivery(pending)?.status).toBe('pending');
});
