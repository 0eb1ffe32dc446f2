import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../src/store/local/lock.ts';
import { databaseOf010, writeAs010 } from '../store/folder-0-1-0.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore, settled } from '../support/server.ts';

/** A sandbox whose data folder is one of hookctl 0.1.0, with a delivery and its task. */
async function folderOf010() {
  const sandbox = await sandboxForTest();
  const server = await serveHere(sandbox);
  const payload = comment('@agent analyze', { issue: 7 });
  const { id } = await settled(sandbox, (await signedPost(server.url, payload)).id);
  await server.stop();
  const [task] = await tellJson<readonly { id: string }[]>(sandbox, 'task', 'list');
  const path = join(sandbox.dataFolder, 'hookctl.db');
  writeAs010(path);
  return { sandbox, path, delivery: id, task: task?.id ?? '', payload };
}

const formersOf = ({ dataFolder }: Sandbox) =>
  readdirSync(dataFolder).filter((name) => name.startsWith('before-restore-'));
const elsewhere = (sandbox: Sandbox, name: string) => {
  const home = join(sandbox.root, name);
  mkdirSync(home, { mode: 0o700 });
  return { ...sandbox, dataFolder: home, env: { ...sandbox.env, HOOKCTL_HOME: home } };
};

/** Why a folder without a store is refused, as not found. */
const NO_STORE = 'holds no store of hookctl';

test('a data folder of hookctl 0.1.0 is opened by no command; each names the import, which keeps the folder', async () => {
  const { sandbox, delivery, task, payload } = await folderOf010();
  for (const typed of [['task', 'list'], ['delivery', 'list'], ['sync']]) {
    const { code, stderr } = await tell(sandbox, ...typed);
    expect([code, stderr], typed.join(' ')).toEqual([1, expect.stringContaining('written by hookctl 0.1.0')]);
    expect(stderr).toContain(`hookctl store import ${sandbox.dataFolder}`);
  }

  const imported = await tellJson<{ former: string }>(sandbox, 'store', 'import', sandbox.dataFolder);
  expect(imported).toEqual({
    imported: sandbox.dataFolder,
    former: join(sandbox.dataFolder, formersOf(sandbox)[0] ?? ''),
  });
  const kept = new DatabaseSync(join(imported.former, 'hookctl.db'));
  expect(kept.prepare('pragma user_version').get()).toEqual({ user_version: 11 });
  expect(kept.prepare('select id from tasks').all()).toEqual([{ id: task }]);
  kept.close();
  expect(await tellJson<readonly unknown[]>(sandbox, 'task', 'list')).toMatchObject([{ id: task }]);
  expect(readStore(sandbox, (reader) => reader.body(delivery)?.byteLength)).toBeGreaterThan(100);
  const server = await serveHere(sandbox);
  const again = await settled(sandbox, (await signedPost(server.url, payload, { deliveryId: delivery })).id);
  expect(again.status).toBe('duplicate');
  await server.stop();

  const undo = await tell(sandbox, 'restore', formersOf(sandbox)[0] ?? '', '--yes');
  expect([undo.code, undo.stderr]).toEqual([1, expect.stringContaining('written by hookctl 0.1.0')]);
});

test('an import from another folder or a backup leaves that as it is, and nothing beside what it holds', async () => {
  const { sandbox, task } = await folderOf010();
  const source = join(sandbox.root, 'of-0.1.0');
  await cp(sandbox.dataFolder, source, { recursive: true });
  const before = readdirSync(source, { recursive: true }).toSorted();
  const other = elsewhere(sandbox, 'other');
  expect(await tellJson(other, 'store', 'import', source)).toEqual({ imported: source, former: null });
  expect(readdirSync(source, { recursive: true }).toSorted()).toEqual(before);
  expect(formersOf(other)).toEqual([]);
  expect(await tellJson<readonly unknown[]>(other, 'task', 'list')).toMatchObject([{ id: task }]);

  // A backup of 0.1.0 says its level in its manifest.
  const files = ['bodies/00000001.log', 'hookctl.db'].map((name) => {
    const content = readFileSync(join(source, name));
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { path: name, bytes: content.length, sha256 };
  });
  const manifest = { version: '0.1.0', schema: 11, created_at: new Date(0).toISOString(), files };
  writeFileSync(join(source, 'backup.json'), JSON.stringify(manifest));
  const third = elsewhere(sandbox, 'third');
  const restored = await tell(third, 'restore', source, '--yes');
  expect([restored.code, restored.stderr]).toEqual([
    1,
    expect.stringContaining(`hookctl store import ${source}`),
  ]);
  await tellJson(third, 'store', 'import', source);
  expect(await tellJson<readonly unknown[]>(third, 'task', 'list')).toMatchObject([{ id: task }]);

  const twice = await tell(other, 'store', 'import', source);
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('holds')]);
  expect(twice.stderr).toContain('HOOKCTL_HOME=<folder>');
});

test('what a killed hookctl 0.1.0 left in the log of its db is imported, too', async () => {
  const { sandbox, path, task } = await folderOf010();
  const source = join(sandbox.root, 'killed');
  const db = new DatabaseSync(path);
  db.exec("pragma journal_mode = wal; pragma wal_autocheckpoint = 0; update tasks set title = 'in the log'");
  await cp(sandbox.dataFolder, source, { recursive: true });
  db.close();
  const other = elsewhere(sandbox, 'other');
  await tellJson(other, 'store', 'import', source);
  expect(readStore(other, (reader) => reader.task(task)?.title)).toBe('in the log');
});

test('only a whole store of hookctl 0.1.0 is imported; the data folder stays as it was', async () => {
  const { sandbox } = await folderOf010();
  const cases: Readonly<Record<string, (path: string) => void>> = {
    'never released': (path) => databaseOf010(path, 7).close(),
    'not as hookctl makes it (trigger t)': (path) => {
      const db = databaseOf010(path);
      db.exec('create trigger t after insert on tasks begin delete from outbox; end');
      db.close();
    },
    [NO_STORE]: () => undefined,
  };
  for (const [words, make] of Object.entries(cases)) {
    const source = join(sandbox.root, words.slice(0, 10));
    mkdirSync(source);
    make(join(source, 'hookctl.db'));
    const other = elsewhere(sandbox, `other-${words.slice(0, 10)}`);
    const { code, stderr } = await tell(other, 'store', 'import', source);
    expect([code, stderr]).toEqual([words === NO_STORE ? 4 : 1, expect.stringContaining(words)]);
    expect(existsSync(join(other.dataFolder, 'hookctl.db'))).toBe(false);
    expect(readdirSync(other.dataFolder).filter((name) => /restore/.test(name))).toEqual([]);
  }
});

test('an import is refused while a hookctl works on either folder', async () => {
  const { sandbox } = await folderOf010();
  const holder = { pid: 4711, command: 'serve', version: '0.1.0', startedAt: 0, server: null };
  const taken = await lockFolder(sandbox.dataFolder, holder);
  if (!taken.ok) throw new Error('the folder is held');
  onTestFinished(taken.lock.release);
  for (const at of [sandbox, elsewhere(sandbox, 'other')]) {
    const { code, stderr } = await tell(at, 'store', 'import', sandbox.dataFolder);
    expect([code, stderr]).toEqual([1, expect.stringContaining('pid 4711')]);
  }
});
