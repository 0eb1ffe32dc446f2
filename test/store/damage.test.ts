import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openReader, openStore } from '../../src/store/local/index.ts';
import { lockFolder } from '../../src/store/local/lock.ts';
import { freshStore, newDelivery, storePath } from './fixtures.ts';

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
