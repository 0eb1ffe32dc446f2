import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openGithubApps } from '../../src/github-app/apps.ts';
import { TryLater } from '../../src/github-app/client.ts';
import { writeApp } from '../../src/github-app/record.ts';
import { type LoopbackGithub, startGithub } from '../support/github-app.ts';

let github: LoopbackGithub;
let folder = '';
beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookctl-app-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  Object.assign(github, { clockAhead: 0, lifetimeMs: 3_600_000, shape: 'short', installed: ['acme/api'] });
  github.calls.length = 0;
  github.issued.length = 0;
  github.faults.length = 0;
});

const API = { owner: 'acme', repo: 'api' };

async function openApps(now = Date.now) {
  await writeApp(folder, github.app());
  const shown: string[][] = [];
  const apps = openGithubApps({
    dataFolder: folder,
    now,
    userAgent: 'hookctl/test',
    learn: (secrets) => void shown.push([...secrets()]),
  });
  onTestFinished(apps.close);
  const app = apps.of('github.com');
  if (app === null) throw new Error('no App');
  return { apps, app, shown };
}

test('an App: its key and secrets are in a file that only its user reads', async () => {
  const { app, shown } = await openApps();
  const [name] = ['github-apps'];
  const file = join(folder, name, `${new URL(github.url).host.replace(':', '_')}.json`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
  expect(JSON.stringify(app)).not.toContain('BEGIN RSA');
  expect(shown.at(-1)).toContain('client-secret-of-the-app');
});

test('a token: for one repository and these permissions, kept until a minute before it ends', async () => {
  let later = 0;
  const { apps, app } = await openApps(() => Date.now() + later);
  const first = await apps.token(app, API, { issues: 'write' });
  expect(github.issued).toMatchObject([{ repositories: ['api'], permissions: { issues: 'write' } }]);
  const [again, other] = await Promise.all([
    apps.token(app, { owner: 'Acme', repo: 'API' }, { issues: 'write' }).catch(String),
    apps.token(app, API, { issues: 'read' }),
  ]);
  expect(again).toEqual(expect.objectContaining({ value: first.value }));
  expect(other.value.reveal()).not.toBe(first.value.reveal());
  expect(github.issued).toHaveLength(2);
  later = 3_600_000 - 61_000;
  github.clockAhead = later;
  expect((await apps.token(app, API, { issues: 'write' })).value.reveal()).toBe(first.value.reveal());
  later += 2_000;
  github.clockAhead = later;
  expect((await apps.token(app, API, { issues: 'write' })).value.reveal()).not.toBe(first.value.reveal());
});

test('a token: those who ask at the same time get the same one', async () => {
  const { apps, app } = await openApps();
  const tokens = await Promise.all(
    Array.from({ length: 20 }, () => apps.token(app, API, { issues: 'write' })),
  );
  expect(new Set(tokens.map(({ value }) => value.reveal())).size).toBe(1);
  expect(github.issued).toHaveLength(1);
});

test('a token: one that must last is made anew when the kept one has less left', async () => {
  github.lifetimeMs = 10 * 60_000;
  const { apps, app } = await openApps();
  const short = await apps.token(app, API, { contents: 'write' });
  github.lifetimeMs = 3_600_000;
  const lasting = await apps.token(app, API, { contents: 'write' }, 20 * 60_000);
  expect(lasting.value.reveal()).not.toBe(short.value.reveal());
});

test('a JWT: a clock that is an hour off is corrected by the answer', async () => {
  github.clockAhead = 3_600_000;
  const { apps, app } = await openApps();
  const { expiresAt } = await apps.token(app, API, { issues: 'write' });
  expect(expiresAt).toBeGreaterThan(Date.now() + 3_600_000);
  const refused = github.calls.filter(({ by }) => by === null);
  expect(refused).toHaveLength(1);
});

test('a permission that the owner did not grant: what is left of the wish, or an error that says where to grant it', async () => {
  const { apps, app } = await openApps();
  await apps.token(app, API, { issues: 'write', metadata: 'write', actions: 'read' });
  expect(github.issued[0]?.permissions).toEqual({ issues: 'write', metadata: 'read' });
  await expect(apps.token(app, API, { actions: 'read' })).rejects.toMatchObject({
    message: 'the App hookctl-test has no permission on acme/api for actions: read',
    fix: expect.stringContaining('/settings/apps/hookctl-test/permissions'),
  });
});

test('a repository without the App: the error names the page on which it is installed', async () => {
  const { apps, app } = await openApps();
  await expect(apps.token(app, { owner: 'acme', repo: 'web' }, { issues: 'write' })).rejects.toMatchObject({
    message: 'the App hookctl-test is not installed on acme/web',
    fix: expect.stringContaining('/github-apps/hookctl-test/installations/new'),
  });
});

test('GitHub that fails, limits or is gone: later, with the wait that it asks for', async () => {
  const { apps, app } = await openApps();
  const asked = () => apps.token(app, API, { issues: 'write' });
  github.faults.push({ path: /installation/, status: 502, times: 1 });
  await expect(asked()).rejects.toBeInstanceOf(TryLater);
  github.faults.push({ path: /installation/, status: 403, headers: { 'retry-after': '7' }, times: 1 });
  await expect(asked()).rejects.toMatchObject({ name: 'TryLater' });
  await expect(asked()).resolves.toMatchObject({ value: expect.anything() });
});
