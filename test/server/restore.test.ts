import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { lockFolder } from '../../src/store/local/lock.ts';
import { recordWithoutRow } from '../store/records.ts';
import { stage } from '../store/staged.ts';
import { spawnIn } from '../support/cli.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson, tellPerson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore, serverForTest, settled, tokenOf } from '../support/server.ts';

interface Made {
  readonly id: string;
}

const make = (sandbox: Sandbox, prompt: string) => tellJson<Made>(sandbox, 'task', 'create', prompt);

/** A folder with a task `early`, which is in the backup, and a task `late`, which is not. */
async function backedUp(options: Parameters<typeof sandboxForTest>[0] = {}) {
  const sandbox = await sandboxForTest(options);
  const early = await make(sandbox, 'early');
  const target = join(sandbox.root, 'backup');
  await tellJson(sandbox, 'backup', target);
  const late = await make(sandbox, 'late');
  return { sandbox, target, early, late };
}

const tasksIn = (sandbox: Sandbox) =>
  readStore(sandbox, (reader) => reader.tasks().map(({ title }) => title));
const formers = ({ dataFolder }: Sandbox) =>
  readdirSync(dataFolder).filter((name) => name.startsWith('before-restore-'));

/** The tasks that have files in Claude's folder, by record and by entry of the list. */
function claudeFiles({ claudeFolder }: Sandbox): readonly string[] {
  const folder = join(claudeFolder, 'tasks');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const ids = names
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).metadata?.orchestration_task_id);
  return ids.filter((id) => id !== undefined);
}

/** Changes a backup so that its manifest is right all the same. */
function forge(target: string, path: string, change: (file: string) => void): void {
  const file = join(target, path);
  change(file);
  const manifest = JSON.parse(readFileSync(join(target, 'backup.json'), 'utf8'));
  const bytes = readFileSync(file);
  const entry = { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  const files = [...manifest.files.filter((known: { path: string }) => known.path !== path), entry];
  writeFileSync(join(target, 'backup.json'), JSON.stringify({ ...manifest, files }));
}

test('E6: a restore says what is lost, asks, and can be undone; the list forgets the newer tasks', async () => {
  const { sandbox, target, early, late } = await backedUp();
  expect(claudeFiles(sandbox).filter((id) => id === late.id)).toHaveLength(2);

  const refused = await tellPerson(sandbox, 'n', 'restore', target);
  expect(refused.stderr).toContain('Lost: 0 deliveries and 1 task');
  expect(refused.stderr).toContain('Nothing was changed.');
  expect([refused.code, tasksIn(sandbox), formers(sandbox)]).toEqual([0, ['late', 'early'], []]);

  const agreed = await tellPerson(sandbox, 'y', 'restore', target);
  expect([agreed.code, tasksIn(sandbox)]).toEqual([0, ['early']]);
  expect(new Set(claudeFiles(sandbox))).toEqual(new Set([early.id]));
  const [former = ''] = formers(sandbox);
  expect(agreed.stderr).toContain(`Undo it: hookctl restore ${former}`);

  const undone = await tell(sandbox, 'restore', former, '--yes');
  expect([undone.code, tasksIn(sandbox)]).toEqual([0, ['late', 'early']]);
  expect((await tell(sandbox, 'sync')).code).toBe(0);
  expect(claudeFiles(sandbox).filter((id) => id === late.id)).toHaveLength(2);
});

test('E6: a restore says that deliveries are lost which are in the log alone', async () => {
  const { sandbox, target } = await backedUp();
  recordWithoutRow(sandbox.dataFolder, 'dlv-1');
  const { stderr } = await tell(sandbox, 'restore', target);
  expect(stderr).toContain('Lost: 1 delivery and 1 task');
});

test('E6: without a terminal a restore changes nothing unless --yes is given', async () => {
  const { sandbox, target } = await backedUp();
  const { code, stderr } = await tell(sandbox, 'restore', target);
  expect([code, tasksIn(sandbox)]).toEqual([2, ['late', 'early']]);
  expect(stderr).toContain('Lost: 0 deliveries and 1 task');
  expect(stderr).toContain(`hookctl restore ${target} --yes`);
  expect(readdirSync(sandbox.dataFolder).filter((name) => /restore/.test(name))).toEqual([]);
  const manifest = join(target, 'backup.json');
  expect(await tellJson(sandbox, 'restore', manifest, '--yes')).toMatchObject({
    restored: target,
    lost: { deliveries: 0, tasks: 1 },
    newly_allowed: [],
  });
});

test('E6: a restore is refused while a server runs, with the three commands to type', async () => {
  const { sandbox, target } = await backedUp();
  const holder = { pid: 4711, command: 'serve', version: '1', startedAt: 0, server: null };
  const taken = await lockFolder(sandbox.dataFolder, holder);
  if (!taken.ok) throw new Error('the folder is held');
  onTestFinished(taken.lock.release);
  const { code, stderr } = await tell(sandbox, 'restore', target, '--yes');
  expect([code, tasksIn(sandbox)]).toEqual([1, ['late', 'early']]);
  expect(stderr).toContain('a server (pid 4711) works on');
  expect(stderr).toContain(`kill 4711\n  hookctl restore ${target}\n  hookctl serve`);
});

test('E26: a restore is audited as the person who restored; the next start records no reload', async () => {
  const { sandbox, target } = await backedUp();
  // An edit while the backup was made: the backup holds a state that its audit does not know.
  await tellJson(sandbox, 'webhook', 'add', 'github', '--name', 'later');
  const edited = readFileSync(join(sandbox.dataFolder, 'webhooks.json'));
  forge(target, 'webhooks.json', (file) => writeFileSync(file, edited));
  await tellJson(sandbox, 'webhook', 'remove', 'later');
  expect((await tell(sandbox, 'restore', target, '--yes')).code).toBe(0);
  await (await serverForTest(sandbox)).stop();
  const lines = readStore(sandbox, (reader) => reader.audit({ limit: 100 }));
  const restores = lines.filter(({ what }) => what === 'backup.restore');
  expect(restores).toMatchObject([
    { actor: { kind: 'cli' }, target, details: { version: expect.any(String) } },
  ]);
  expect(lines.filter(({ what }) => what === 'webhook.reload')).toEqual([]);
});

const FOREIGN = {
  'a trigger': 'create trigger t after insert on tasks begin delete from audit; end',
  'a view': 'create view v as select * from deliveries',
  'a table': 'create table notes (text)',
  'an index': 'create index i on tasks (title)',
  'a column': 'alter table tasks add column more text',
  'a table less': 'drop table audit',
};

test('F11: a backup whose db is not as hookctl makes it is refused, and what is stored stays', async () => {
  const { sandbox, target } = await backedUp();
  for (const [what, sql] of Object.entries(FOREIGN)) {
    const copy = `${target} with ${what}`;
    await cp(target, copy, { recursive: true });
    forge(copy, 'hookctl.db', (file) => {
      const db = new DatabaseSync(file);
      db.exec(sql);
      db.close();
    });
    const { code, stderr } = await tell(sandbox, 'restore', copy, '--yes');
    expect([code, stderr], what).toEqual([1, expect.stringContaining('its db is not as hookctl makes it')]);
  }
  expect([tasksIn(sandbox), formers(sandbox)]).toEqual([['late', 'early'], []]);
});

test('F11: a restore takes plain files only, and waits for none', async () => {
  const { sandbox, target } = await backedUp();
  await tellJson(sandbox, 'webhook', 'add', 'github', '--name', 'x');
  const whole = join(sandbox.root, 'whole');
  await tellJson(sandbox, 'backup', whole);
  const hidden = join(sandbox.root, 'private');
  await cp(join(whole, 'webhooks.json'), hidden);
  const cases: Readonly<Record<string, (copy: string) => void | Promise<void>>> = {
    'a link to a file': async (copy) => {
      await rm(join(copy, 'webhooks.json'));
      symlinkSync(hidden, join(copy, 'webhooks.json'));
    },
    'a named pipe': async (copy) => {
      await rm(join(copy, 'webhooks.json'));
      execFileSync('mkfifo', [join(copy, 'webhooks.json')]);
    },
    'a folder': async (copy) => {
      await rm(join(copy, 'webhooks.json'));
      await mkdir(join(copy, 'webhooks.json'));
    },
    'a pipe for a manifest': async (copy) => {
      await rm(join(copy, 'backup.json'));
      execFileSync('mkfifo', [join(copy, 'backup.json')]);
    },
    'a linked folder': async (copy) => {
      await mkdir(join(copy, 'bodies'), { recursive: true });
      forge(copy, 'bodies/00000001.log', (file) => writeFileSync(file, ''));
      renameSync(join(copy, 'bodies'), join(sandbox.root, 'elsewhere'));
      symlinkSync(join(sandbox.root, 'elsewhere'), join(copy, 'bodies'));
    },
  };
  for (const [what, change] of Object.entries(cases)) {
    const copy = `${target} with ${what}`;
    await cp(whole, copy, { recursive: true });
    await change(copy);
    const { code, stderr } = await tell(sandbox, 'restore', copy, '--yes');
    expect([code, stderr], what).toEqual([1, expect.stringMatching(/no plain (?:file|folder)/)]);
  }
  // What the manifest does not name is neither followed nor opened.
  execFileSync('mkfifo', [join(whole, 'hookctl.db-wal')]);
  expect((await tell(sandbox, 'restore', whole, '--yes')).code).toBe(0);
});

test('F11: a restore keeps this machine’s token, and what was validated elsewhere is validated here', async () => {
  const { sandbox, target } = await backedUp();
  await (await serverForTest(sandbox)).stop();
  const token = tokenOf(sandbox);
  const revoked = await tellJson<{ id: string }>(sandbox, 'token', 'create', '--owner', 'ada');
  const before = join(sandbox.root, 'before');
  await tellJson(sandbox, 'backup', before);
  await tellJson(sandbox, 'token', 'revoke', revoked.id);
  const kept = await tellJson<{ id: string }>(sandbox, 'token', 'create', '--owner', 'ada');
  forge(target, 'token', (file) => writeFileSync(file, 'foreign'));
  forge(target, 'tokens.json', (file) => writeFileSync(file, '{"version":1,"tokens":[]}'));
  forge(target, 'webhooks.checked.json', (file) => writeFileSync(file, '{"revision":"x","canonical":true}'));
  expect((await tell(sandbox, 'restore', target, '--yes')).code).toBe(0);
  expect(tokenOf(sandbox)).toBe(token);
  // A backup of before brings no token back that was revoked since.
  for (const backup of [target, before]) {
    expect((await tell(sandbox, 'restore', backup, '--yes')).code).toBe(0);
    expect((await tellJson<{ id: string }[]>(sandbox, 'token', 'list')).map(({ id }) => id)).toEqual([
      kept.id,
    ]);
  }
  expect(existsSync(join(sandbox.dataFolder, 'webhooks.checked.json'))).toBe(false);
  const again = join(sandbox.root, 'again');
  await tellJson(sandbox, 'backup', again);
  expect(readFileSync(join(again, 'backup.json'), 'utf8')).not.toMatch(/"token(?:s\.json)?"/);
});

test('F11: what a restore newly allows is said before it asks: programs, hosts, agents, people, secrets', async () => {
  const yaml = 'agents: { planning: { use: command, program: cat } }\n';
  const { sandbox, target } = await backedUp({ files: { 'webhooks.yml': yaml } });
  const add = ['webhook', 'add', 'github', '--name', 'deploys', '--agent', 'planning', '--allow-user', '42'];
  await tellJson(sandbox, ...add, '--secret', 'a-secret-of-this-test');
  const on = (...rest: readonly string[]) =>
    tellJson(sandbox, 'webhook', 'command', 'add', 'deploys', '--trigger', 'push', ...rest);
  await on('--action', 'run', '--option', 'program=./deploy.sh');
  await on('--action', 'forward', '--option', 'urls=["https://example.com/hook"]');
  const allowing = join(sandbox.root, 'allowing');
  await tellJson(sandbox, 'backup', allowing);
  await tellJson(sandbox, 'webhook', 'remove', 'deploys');

  const told = await tellPerson(sandbox, 'n', 'restore', allowing);
  expect(told.code).toBe(0);
  const [before = ''] = told.stderr.split('Restore it');
  for (const words of [
    'runs ./deploy.sh',
    'forwards to example.com',
    'deploys starts the agent planning',
    'deploys takes commands of the user 42',
    'deploys accepts requests that are signed with another secret',
  ]) {
    expect(before).toContain(words);
  }
  expect(told.stderr).not.toContain('a-secret-of-this-test');
  expect((await tellPerson(sandbox, 'n', 'restore', target)).stderr).not.toContain('It allows');
});

test('E6: a state that can not be served with the project as it is now is refused', async () => {
  const { sandbox, target } = await backedUp();
  await sandbox.write('webhooks.yml', 'claudeTasks: { enabled: perhaps }\n');
  const { code, stderr } = await tell(sandbox, 'restore', target, '--yes');
  expect([code, stderr]).toEqual([3, expect.stringContaining('webhooks.yml')]);
  expect([tasksIn(sandbox), readdirSync(sandbox.dataFolder).filter((name) => /restore/.test(name))]).toEqual([
    ['late', 'early'],
    [],
  ]);
});

test('E6: a damaged store can be replaced, although what is lost is not known', async () => {
  const { sandbox, target } = await backedUp();
  const path = join(sandbox.dataFolder, 'hookctl.db');
  chmodSync(path, 0o600);
  writeFileSync(path, 'no database at all, and long enough to be taken for a header of one'.repeat(100));
  const { code, stderr } = await tell(sandbox, 'restore', target, '--yes');
  expect([code, stderr]).toEqual([0, expect.stringContaining('what is lost is not known')]);
  expect(tasksIn(sandbox)).toEqual(['early']);
});

test('a restore that was killed while it moved files is ended by the next command, whichever it is', async () => {
  const { sandbox, target, early } = await backedUp();
  const { dataFolder } = sandbox;
  const { staged, former } = await stage(target, dataFolder, Date.now());
  const program = join(import.meta.dirname, '../store/killed-swap.ts');
  const { signal } = await spawnIn(sandbox, process.execPath, [program, dataFolder, staged, former, '3'])
    .ended;
  const isUnderWay = readdirSync(dataFolder).some((name) => name.startsWith('.restore-out-'));
  expect([signal, isUnderWay]).toEqual(['SIGKILL', true]);
  const listed = await tellJson<readonly Made[]>(sandbox, 'task', 'list');
  expect(listed.map(({ id }) => id)).toEqual([early.id]);
  expect(readdirSync(dataFolder).filter((name) => /restore/.test(name))).toEqual([former]);
});

const STEERED = `
credentials: { github: { tokenEnv: TOKEN, baseUrl: 'http://127.0.0.1:9' } }
webhooks:
  github:
    commands:
      - { name: analyze, template: Analyze }
      - { name: guarded, template: Guarded, requiresApproval: true }
      - { name: go, action: ask, template: 'Which branch?' }
`;

test('G14: after a restore, comments that ran since the backup are refused by new delivery ids; newer ones run', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': STEERED }, env: { TOKEN: 'a-token' } });
  const first = await serveHere(sandbox);
  const deliver = async (url: string, payload: ReturnType<typeof comment>) =>
    settled(sandbox, (await signedPost(url, payload)).id);
  const made = async (text: string, issue: number) => {
    const delivery = await deliver(first.url, comment(text, { issue }));
    const [id = ''] = delivery.decisions.flatMap(({ taskIds }) => taskIds);
    return id;
  };
  const asked = {
    approved: await made('@agent guarded', 1),
    stopped: await made('@agent analyze', 2),
    answered: await made('@agent go', 3),
  };
  const target = join(sandbox.root, 'backup');
  await tellJson(sandbox, 'backup', target);
  const statuses = () =>
    Object.values(asked).map((id) => readStore(sandbox, (reader) => reader.task(id)?.status));
  const before = statuses();
  expect(before).toEqual(['waiting_approval', 'queued', 'waiting_answer']);

  const newer = [
    comment(`@agent approve ${asked.approved}`, { issue: 1 }),
    comment(`@agent stop ${asked.stopped}`, { issue: 2 }),
    comment('main, please', { issue: 3 }),
    comment('@agent analyze', { issue: 4 }),
  ];
  for (const each of newer) expect(await deliver(first.url, each)).toMatchObject({ status: 'processed' });
  expect(statuses()).toEqual(['queued', 'cancelled', 'queued']);
  expect(tasksIn(sandbox)).toHaveLength(4);
  await first.stop();
  expect((await tell(sandbox, 'restore', target, '--yes')).code).toBe(0);

  const second = await serveHere(sandbox);
  for (const each of newer) {
    const { id, status, reason } = await deliver(second.url, each);
    expect([status, reason]).toEqual([
      'ignored',
      expect.stringMatching(new RegExp(`written before the restore of .*hookctl replay ${id}`)),
    ]);
  }
  expect([statuses(), tasksIn(sandbox).length]).toEqual([before, 3]);
  const approval = comment(`@agent approve ${asked.approved}`, { issue: 1 });
  for (const each of [approval, comment('@agent analyze', { issue: 4 })])
    expect(await deliver(second.url, each)).toMatchObject({ status: 'processed' });
  expect([statuses()[0], tasksIn(sandbox).length]).toEqual(['queued', 4]);
});
