import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { catchUp } from '../../src/store/local/catch-up.ts';
import { openReader, openStore } from '../../src/store/local/index.ts';
import { freshStore, newDelivery, storePath } from './fixtures.ts';

test.each([1, 2, 3])('kill -9 loses nothing that was acknowledged (round %i)', async (round) => {
  const path = storePath();
  const program = fileURLToPath(new URL('./killed-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const acknowledged: string[] = [];
  for await (const id of createInterface({ input: child.stdout })) {
    acknowledged.push(id);
    if (acknowledged.length === 40 * round) child.kill('SIGKILL');
  }
  if (child.signalCode === null) await once(child, 'exit');

  expect(catchUp(path)).toBe(0);
  const reader = openReader({ path });
  const unreadable = acknowledged.filter((id) => reader?.delivery(id)?.status !== 'pending');
  reader?.close();
  expect([child.signalCode, unreadable]).toEqual(['SIGKILL', []]);

  const store = await freshStore(path);
  const lost = acknowledged.filter(
    (id) => !Buffer.from(store.body(id) ?? []).equals(Buffer.alloc(12_000, id)),
  );
  expect(acknowledged.length).toBeGreaterThanOrEqual(40 * round);
  expect(lost).toEqual([]);
  expect((await store.accept(newDelivery('dlv-later'))).status).toBe('pending');
});

test('every file is private, whatever the umask', async () => {
  const before = process.umask(0);
  onTestFinished(() => void process.umask(before));
  const path = storePath();
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-1'));
  const names = readdirSync(dirname(path), { recursive: true, encoding: 'utf8' });
  const modes = names.map((name) => [name, statSync(join(dirname(path), name)).mode & 0o777]);
  expect(Object.fromEntries(modes)).toEqual({
    bodies: 0o700,
    'bodies/00000001.log': 0o600,
    'hookctl.db': 0o600,
    'hookctl.db-shm': 0o600,
    'hookctl.db-wal': 0o600,
  });
});

test('closing folds the log of SQLite into one file', async () => {
  const path = storePath();
  const store = await openStore({ path });
  await store.accept(newDelivery('dlv-1'));
  await store.close();
  expect(readdirSync(dirname(path))).toEqual(['bodies', 'hookctl.db']);
});

test('there is nothing to read before the first server ran', async () => {
  const path = storePath();
  expect(openReader({ path })).toBeNull();
  new DatabaseSync(path).close();
  expect(openReader({ path })).toBeNull();
});

test('a store of a newer hookctl is refused, and the message says what to upgrade', async () => {
  const path = storePath();
  await (await openStore({ path })).close();
  setVersion(path, 99);
  const refusal = {
    code: 'schema_version',
    message: expect.stringMatching(/has schema 99, this hookctl knows schema \d+: .*newer/),
    fix: expect.stringContaining('Upgrade this hookctl'),
  };
  await expect(openStore({ path })).rejects.toMatchObject(refusal);
  expect(() => openReader({ path })).toThrow(expect.objectContaining(refusal));
});

function setVersion(path: string, version: number): void {
  const db = new DatabaseSync(path);
  db.exec(`pragma user_version = ${version}`);
  db.close();
}

test('a duplicate of a delivery that could not be stored is stored in its place', async () => {
  const path = storePath();
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-0'));
  const handle = await open(path);
  onTestFinished(() => handle.close());
  const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, 'datasync'>;
  const broken = vi.spyOn(prototype, 'datasync').mockRejectedValueOnce(new Error('no room'));
  onTestFinished(() => broken.mockRestore());
  const first = store.accept(newDelivery('dlv-1', { dedupeKeys: ['id:same'] }));
  const accepted = await Promise.allSettled([
    first,
    store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:same'] })),
  ]);
  expect(accepted).toMatchObject([
    { status: 'rejected', reason: { code: 'store_write', message: expect.stringContaining('no room') } },
    { status: 'fulfilled', value: { status: 'pending', duplicateOf: null } },
  ]);
  expect([store.delivery('dlv-1'), store.delivery('dlv-2')?.status]).toEqual([null, 'pending']);
});
