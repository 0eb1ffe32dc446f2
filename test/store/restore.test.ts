import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backUp } from '../../src/store/local/backup.ts';
import { openReader } from '../../src/store/local/index.ts';
import { openForReading } from '../../src/store/local/sqlite.ts';
import { endSwap, finishSwap, swapIn } from '../../src/store/local/swap.ts';
import { freshStore, NOW, newDelivery, storePath } from './fixtures.ts';
import { stage } from './staged.ts';

const ME = { pid: process.pid, command: 'test', version: '1', startedAt: NOW, server: null };

/** A folder in which `dlv-old` is stored, with a backup from when it was `dlv-new`, staged. */
async function stagedFolder() {
  const [from, path] = [storePath(), storePath()];
  const dataFolder = dirname(path);
  for (const [place, id] of [
    [from, 'dlv-new'],
    [path, 'dlv-old'],
  ] as const) {
    const store = await freshStore(place);
    await store.accept(newDelivery(id));
    await store.close();
    writeFileSync(join(dirname(place), 'webhooks.json'), id);
    mkdirSync(join(dirname(place), 'secrets'));
    writeFileSync(join(dirname(place), 'secrets', 'github'), id);
  }
  writeFileSync(join(dataFolder, 'only-old'), 'x');
  const target = join(dirname(storePath()), 'backup');
  await backUp({ dataFolder: dirname(from), target, version: '1', now: NOW });
  return { dataFolder, target, ...(await stage(target, dataFolder)) };
}

/** Which state a folder is in, by everything that it holds. */
function stateOf(dataFolder: string): readonly string[] {
  const reader = openReader({ path: join(dataFolder, 'hookctl.db') });
  try {
    const stored = (reader?.deliveries() ?? []).map(({ id }) => id);
    const bodies = stored.map((id) => Buffer.from(reader?.body(id) ?? []).toString());
    const files = ['webhooks.json', 'secrets/github'].map((name) =>
      readFileSync(join(dataFolder, name), 'utf8'),
    );
    return [...stored, ...bodies, ...files];
  } finally {
    reader?.close();
  }
}

const whole = (id: string) => [id, `{"id":"${id}"}`, id, id];

test('a restore that is killed after any step is ended by who opens the folder next; nothing is mixed', async () => {
  const { dataFolder, staged, former } = await stagedFolder();
  const program = join(import.meta.dirname, 'killed-swap.ts');
  let kills = 0;
  for (let steps = 1; ; steps += 1) {
    const copy = dirname(storePath());
    cpSync(dataFolder, copy, { recursive: true });
    const child = spawn(process.execPath, [program, copy, staged, former, String(steps)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code, signal] = await once(child, 'exit');
    expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL']);
    await endSwap(copy, ME);
    expect(stateOf(copy), `killed after step ${steps}`).toEqual(whole('dlv-new'));
    expect(existsSync(join(copy, 'only-old'))).toBe(false);
    expect(stateOf(join(copy, former)), `former state, step ${steps}`).toEqual(whole('dlv-old'));
    await finishSwap(copy);
    expect(readdirSync(copy).filter((name) => /^\.restore|^restore\.json/.test(name))).toEqual([]);
    if (signal === null) break;
    kills += 1;
  }
  // The beginning, five names that leave, the turn, four that come, and the end.
  expect(kills).toBeGreaterThanOrEqual(11);
});

test('a restore that is killed before it is whole on disk leaves the old state, and is cleared away', async () => {
  const { dataFolder, staged } = await stagedFolder();
  cpSync(join(dataFolder, staged), join(dataFolder, `${staged}.part`), { recursive: true });
  await finishSwap(dataFolder);
  expect(stateOf(dataFolder)).toEqual(whole('dlv-old'));
  expect(readdirSync(dataFolder).filter((name) => name.startsWith('.restore'))).toEqual([]);
});

test('a restore is refused, with nothing changed, while another process has the store open', {
  timeout: 20_000,
}, async () => {
  const { dataFolder, staged, former } = await stagedFolder();
  const db = openForReading(join(dataFolder, 'hookctl.db'));
  onTestFinished(() => db.close());
  db.prepare('select count(*) from deliveries').get();
  const refused = { code: 'in_use', message: expect.stringContaining('nothing was changed') };
  await expect(swapIn(dataFolder, { staged, former })).rejects.toMatchObject(refused);
  expect(stateOf(dataFolder)).toEqual(whole('dlv-old'));
  expect(existsSync(join(dataFolder, former))).toBe(false);
});

test('the audit of a restored state names the person, the source and the folder of the former state', async () => {
  const { dataFolder, target, staged, former } = await stagedFolder();
  await swapIn(dataFolder, { staged, former });
  const reader = openReader({ path: join(dataFolder, 'hookctl.db') });
  onTestFinished(() => reader?.close());
  expect(reader?.audit({ what: 'backup' })).toMatchObject([
    { what: 'backup.restore', actor: { name: 'ada' }, target, details: { former, version: '1' } },
  ]);
});

test('a backup that names files outside of itself is not restored', async () => {
  const { dataFolder, target } = await stagedFolder();
  const manifest = JSON.parse(readFileSync(join(target, 'backup.json'), 'utf8'));
  for (const path of ['../evil', '/etc/evil', 'serve.lock', 'hookctl.db-wal', 'bodies/../../evil', '']) {
    const files = [...manifest.files, { path, bytes: 0, sha256: '' }];
    writeFileSync(join(target, 'backup.json'), JSON.stringify({ ...manifest, files }));
    await expect(stage(target, dataFolder, NOW + 1), path).rejects.toMatchObject({ code: 'not_a_backup' });
  }
});
