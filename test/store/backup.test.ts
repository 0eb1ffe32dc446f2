import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backUp, manifestOf } from '../../src/store/local/backup.ts';
import { openReader } from '../../src/store/local/index.ts';
import { freshStore, NOW, newDelivery, storePath } from './fixtures.ts';
import { restoreInto, stage } from './staged.ts';

const options = (path: string, target: string) => ({
  dataFolder: dirname(path),
  target,
  version: '1',
  now: NOW,
});

test('a backup that is made while deliveries come in holds every delivery of its moment with its bytes', async () => {
  const path = storePath();
  const store = await freshStore(path);
  const before = ids('dlv-a', 50);
  await Promise.all(before.map((id) => store.accept(newDelivery(id))));
  const target = join(dirname(storePath()), 'backup');
  const during = Promise.all(ids('dlv-b', 200).map((id) => store.accept(newDelivery(id))));
  await backUp(options(path, target));
  await during;

  const other = storePath();
  await restoreInto(target, dirname(other));
  const restored = await freshStore(other);
  const kept = restored.deliveries({ limit: 1_000 }).map(({ id }) => id);
  expect(kept).toEqual(expect.arrayContaining([...before]));
  expect(kept.filter((id) => Buffer.from(restored.body(id) ?? []).toString() !== `{"id":"${id}"}`)).toEqual(
    [],
  );
});

test('a backup is private, and one byte that changed keeps it from being restored; nothing is touched then', async () => {
  const path = storePath();
  const store = await freshStore(path);
  await store.accept(newDelivery('dlv-1'));
  const target = join(dirname(storePath()), 'backup');
  const { files } = await backUp(options(path, target));
  expect(files.map((file) => file.path)).toEqual(['bodies/00000001.log', 'hookctl.db']);
  for (const file of files) expect(statSync(join(target, file.path)).mode & 0o077).toBe(0);
  expect(await manifestOf(target)).toMatchObject({ version: '1' });

  const segment = join(target, 'bodies/00000001.log');
  const bytes = readFileSync(segment);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(segment, bytes);
  const refused = { code: 'damaged_backup', message: expect.stringContaining('bodies/00000001.log') };
  await expect(stage(target, dirname(path))).rejects.toMatchObject(refused);
  expect(store.body('dlv-1')).not.toBeNull();
  await expect(backUp(options(path, target))).rejects.toMatchObject({ code: 'exists' });
});

test('a restore keeps the replaced state in a folder beside it', async () => {
  const path = storePath();
  const target = join(dirname(storePath()), 'backup');
  const first = await freshStore(path);
  await first.accept(newDelivery('dlv-1'));
  await backUp(options(path, target));
  await first.accept(newDelivery('dlv-2'));
  await first.close();
  const former = join(dirname(path), await restoreInto(target, dirname(path)));
  const [now, then] = [openReader({ path }), openReader({ path: join(former, 'hookctl.db') })];
  onTestFinished(() => {
    now?.close();
    then?.close();
  });
  expect([now?.delivery('dlv-2'), then?.delivery('dlv-2')?.id]).toEqual([null, 'dlv-2']);
  expect([now?.body('dlv-1'), then?.body('dlv-2')]).not.toContain(null);
});

function ids(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`);
}
