import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRestore } from '../../src/server/restore.ts';
import { openReader } from '../../src/store/index.ts';
import { stage } from '../store/staged.ts';
import { cli, cliJson, spawnIn } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, type Server, serverForTest, settled } from '../support/server.ts';

interface Restored {
  readonly former: string;
  readonly served: boolean;
}

const accepted = async (server: Server, text = 'hello', path?: string) => {
  const { status, id } = await signedPost(server.url, comment(text), path === undefined ? {} : { path });
  expect(status).toBe(202);
  return id;
};

const add = ({ env }: Sandbox) => [
  ...['webhook', 'add', 'github', '--name', 'mine'],
  ...['--secret', env.GITHUB_WEBHOOK_SECRET ?? ''],
];

test('a restore while serving under load: each answer is a 2xx or a 503, and what was restored is in force', {
  timeout: 120_000,
}, async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const { endpoint } = await cliJson<{ endpoint: string }>(sandbox, ...add(sandbox));
  const before = await accepted(server, '@agent analyze', endpoint);
  await settled(sandbox, before);
  const target = join(sandbox.root, 'backup');
  await cliJson(sandbox, 'backup', target);
  expect((await cli(sandbox, 'webhook', 'remove', 'mine')).code).toBe(0);
  const after = await accepted(server);
  expect((await signedPost(server.url, comment('x'), { path: endpoint })).status).toBe(404);

  const acknowledged: string[] = [];
  const others = new Map<number, number>();
  let loaded = true;
  const load = Array.from({ length: 8 }, async (_, lane) => {
    for (let n = 0; loaded; n += 1) {
      const { status, id } = await signedPost(server.url, comment('hello', { issue: lane * 10_000 + n }));
      if (status === 202) acknowledged.push(id);
      else others.set(status, (others.get(status) ?? 0) + 1);
    }
  });
  const { former, served } = await cliJson<Restored>(sandbox, 'restore', target);
  const restoredAt = acknowledged.length;
  await eventually('deliveries to come in again', () => acknowledged.length > restoredAt + 20);
  loaded = false;
  await Promise.all(load);

  expect(served).toBe(true);
  expect([...others.keys()].filter((status) => status !== 503)).toEqual([]);
  expect(server.lines().flatMap(({ state }) => (state === undefined ? [] : [state]))).toEqual(
    expect.arrayContaining(['restoring', 'restored']),
  );
  const now = (id: string) => readStore(sandbox, (reader) => reader.delivery(id)) !== null;
  const then = openReader({ path: join(former, 'hookctl.db') });
  expect([now(before), now(after), then?.delivery(after)?.id]).toEqual([true, false, after]);
  expect(acknowledged.filter((id) => !now(id) && (then?.delivery(id) ?? null) === null)).toEqual([]);
  then?.close();
  // The webhook, its secret and its address are there again, in the same process.
  await settled(sandbox, await accepted(server, '@agent analyze', endpoint));
  expect(server.running.child.exitCode).toBeNull();
  const { items } = await expectJson<{ items: { what: string }[] }>(
    200,
    server,
    'GET',
    '/api/audit?limit=50',
  );
  expect(items.map(({ what }) => what)).toEqual(expect.arrayContaining(['backup.restore', 'serve.start']));
});

test('what can not be served with the project as it is now is refused, and the server goes on as it was', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': 'claudeTasks: { enabled: false }\n' } });
  const server = await serverForTest(sandbox);
  const target = join(sandbox.root, 'backup');
  await cliJson(sandbox, 'backup', target);
  const kept = await accepted(server);
  await sandbox.write('webhooks.yml', 'claudeTasks: { enabled: perhaps }\n');
  const { code, stderr } = await cli(sandbox, 'restore', target);
  expect([code, stderr]).toEqual([3, expect.stringContaining('webhooks.yml')]);
  await accepted(server);
  expect(readStore(sandbox, (reader) => reader.delivery(kept))).not.toBeNull();
  expect(readdirSync(sandbox.dataFolder).filter((name) => /restore/.test(name))).toEqual([]);
  const missing = await ask(server, 'POST', '/api/restore', { body: { staged: '../../backup' } });
  expect([missing.status, missing.text]).toEqual([409, expect.stringContaining('not_staged')]);
});

test('without a server, backup and restore are on record, and a second restore brings the former state back', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const first = await accepted(server);
  await server.stop();
  const target = join(sandbox.root, 'backup');
  await cliJson(sandbox, 'backup', target);
  expect(readStore(sandbox, (reader) => reader.audit({ what: 'backup' }))).toMatchObject([
    { what: 'backup.create', target, actor: { kind: 'cli' } },
  ]);
  expect(await cliJson<Restored>(sandbox, 'restore', target)).toMatchObject({ served: false });
  const { stdout, stderr } = await cli(sandbox, 'restore', target);
  expect(stdout).toMatch(/^Restored .*backup\.\nWhat was there before is in .*before-restore-/);
  expect(stderr).toContain('Checking');
  expect(readStore(sandbox, (reader) => reader.delivery(first)?.id)).toBe(first);
  expect(existsSync(join(sandbox.dataFolder, 'restore.json'))).toBe(false);
});

test('a restore that was killed in the middle is ended by the next command, whichever it is', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const first = await accepted(server);
  await server.stop();
  const [target, { dataFolder }] = [join(sandbox.root, 'backup'), sandbox];
  await cliJson(sandbox, 'backup', target);
  const { staged, former } = await stage(target, dataFolder, Date.now());
  const program = join(import.meta.dirname, '../store/killed-swap.ts');
  const { signal } = await spawnIn(sandbox, process.execPath, [program, dataFolder, staged, former, '3'])
    .ended;
  expect([signal, existsSync(join(dataFolder, 'restore.json'))]).toEqual(['SIGKILL', true]);
  const listed = await cliJson<{ id: string }[]>(sandbox, 'delivery', 'list');
  expect(listed.map(({ id }) => id)).toEqual([first]);
  expect(readdirSync(dataFolder).filter((name) => /restore/.test(name))).toEqual([former]);
});

test('a restored state that can not be opened is taken out again, and the former one is served', async () => {
  const sandbox = await sandboxForTest();
  const { dataFolder } = sandbox;
  const server = await serverForTest(sandbox);
  await server.stop();
  const target = join(sandbox.root, 'backup');
  await cliJson(sandbox, 'backup', target);
  const marker = join(dataFolder, 'marker');
  writeFileSync(marker, 'former');
  const { staged, former } = await stage(target, dataFolder, Date.now());
  const seen: boolean[] = [];
  const { restore, ended } = createRestore({
    dataFolder,
    check: async () => undefined,
    pause: async () => undefined,
    async resume() {
      seen.push(existsSync(marker));
      if (seen.length === 1) throw new Error('no such port');
    },
    tell: () => undefined,
  });
  const running = restore(staged);
  await expect(restore(staged)).rejects.toMatchObject({ code: 'restoring' });
  await expect(running).rejects.toMatchObject({
    code: 'restore_failed',
    message: expect.stringContaining('no such port'),
  });
  await ended();
  expect(seen).toEqual([false, true]);
  const left = readdirSync(dataFolder).filter((name) => /restore/.test(name));
  expect(left).toEqual([former.replace('before', 'failed')]);
});
