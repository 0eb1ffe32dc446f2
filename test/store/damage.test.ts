import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openReader, openStore } from '../../src/store/local/index.ts';
import { lockFolder } from '../../src/store/local/lock.ts';
import type { Store } from '../../src/store/store.ts';
import { freshStore, newDelivery, outcome, storePath, taskInFlow } from './fixtures.ts';

const HOLDER = { pid: 1, command: 'serve', version: '0', startedAt: 0, server: null };

test('a db that is none is left as it is, and the message says which file and how to go on', async () => {
  const path = storePath();
  writeFileSync(path, 'not a database\n'.repeat(1_000));
  const before = readFileSync(path);
  const refusal = {
    code: 'store_damaged',
    message: expect.stringContaining(`${path} is damaged`),
    fix: expect.stringContaining('hookctl restore'),
  };
  await expect(openStore({ path })).rejects.toMatchObject(refusal);
  expect(() => openReader({ path })).toThrow(expect.objectContaining(refusal));
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('a damage that is met later is named, too', async () => {
  const path = storePath();
  const store = await openStore({ path });
  for (let made = 0; made < 50; made += 1) await store.accept(newDelivery(`dlv-${made}`));
  await store.close();
  const bytes = readFileSync(path);
  // All but the first page, which holds the schema.
  writeFileSync(path, bytes.fill(0xa5, 4_096));
  const reader = openReader({ path });
  expect(() => reader?.deliveries()).toThrow(
    expect.objectContaining({ code: 'store_damaged', message: expect.stringContaining(path) }),
  );
  reader?.close();
});

test.each([
  ['read', (store: Store) => Promise.resolve(store.tasks({}))],
  ['written', (store: Store) => store.recordOutcome(outcome('dlv-0', { tasks: [taskInFlow('task-new')] }))],
])('damage that shows when tasks are %s is a problem of the open store, once', async (_, use) => {
  const path = storePath();
  const store = await openStore({ path });
  await store.accept(newDelivery('dlv-0'));
  await store.close();
  const db = new DatabaseSync(path);
  db.exec('pragma wal_checkpoint(truncate)');
  const roots = db.prepare("select rootpage from sqlite_schema where tbl_name = 'tasks'").all();
  db.close();
  const bytes = readFileSync(path);
  for (const { rootpage } of roots) {
    bytes.fill(0xa5, (Number(rootpage) - 1) * 4_096, Number(rootpage) * 4_096);
  }
  writeFileSync(path, bytes);

  const damaged = await freshStore(path);
  expect(damaged.problems).toEqual([]);
  for (let times = 0; times < 2; times += 1) await expect((async () => use(damaged))()).rejects.toThrow();
  expect(damaged.problems).toEqual([expect.stringMatching(/is damaged: .*`hookctl restore <folder>`/)]);
  expect(damaged.problems[0]).toContain(path);
});

test('a lock that can’t be opened is not taken for one that somebody holds', async () => {
  const folder = dirname(storePath());
  mkdirSync(join(folder, 'serve.lock'));
  await expect(lockFolder(folder, HOLDER)).rejects.toMatchObject({
    code: 'store_unusable',
    message: expect.stringContaining(join(folder, 'serve.lock')),
  });
});

test('a db that was emptied is reported, and every delivery comes back from the log beside it, not run unasked', async () => {
  const path = storePath();
  const before = await openStore({ path });
  expect(before.problems).toEqual([]);
  await before.accept(newDelivery('dlv-1'));
  await before.close();
  truncateSync(path);
  const store = await freshStore(path);
  expect(store.problems).toEqual([
    expect.stringMatching(/hookctl\.db was lost: 1 deliveries .*hookctl restore/),
  ]);
  expect(store.delivery('dlv-1')).toMatchObject({ status: 'failed' });
  expect(store.body('dlv-1')).not.toBeNull();
});
