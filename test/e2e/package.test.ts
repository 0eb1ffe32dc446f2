import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { cli, cliPath, spawnCli, spawnIn } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { type Sandbox, sandboxForTest, taskFiles } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';

const ROOT = join(import.meta.dirname, '../..');

test('in an empty folder `init`, `check` and `serve` find no error and no warning', async () => {
  const sandbox = await sandboxForTest({ fixedDataFolder: false, env: { GITHUB_WEBHOOK_SECRET: '' } });
  const program = join(inject('packed'), 'bin/hookctl');
  const run = (...args: readonly string[]) => spawnIn(sandbox, program, args);

  const init = await run('init').ended;
  expect(init).toMatchObject({ code: 0, stderr: 'Next: hookctl check && hookctl serve\n' });
  expect(readdirSync(sandbox.project)).toContain('webhooks.yml');

  const check = await run('check').ended;
  expect(check).toMatchObject({ code: 0, stderr: '' });
  expect(check.stdout).toContain('0 errors');

  const serve = run('serve', '--port', '0', '--management-port', '0');
  onTestFinished(async () => {
    serve.child.kill('SIGKILL');
    await serve.ended;
  });
  await eventually('the readiness line', () => /^Ready on /m.test(serve.stderr()));
  serve.child.kill('SIGTERM');
  const { code, stderr, stdout } = await serve.ended;
  expect(code).toBe(0);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/warning|error|deprecat|experimental/i);
  expect(existsSync(join(sandbox.project, '.hookctl/hookctl.db'))).toBe(true);
  expect(readdirSync(sandbox.home)).toEqual([]);
});

test('`trigger` prints delivery, command and task, and both task files are in Claude’s folder', async () => {
  const sandbox = await sandboxForTest();
  await serverForTest(sandbox);
  const ask = '@agent analyze why login fails';
  const { code, stdout } = await cli(sandbox, 'trigger', 'github', 'issue_comment.created', '--text', ask);
  expect(code).toBe(0);
  const [task] = readStore(sandbox, (reader) => reader.tasks());
  expect(stdout).toMatch(new RegExp(`^delivery +${task?.deliveryId}$`, 'm'));
  expect(stdout).toMatch(/^command +analyze$/m);
  expect(stdout).toMatch(new RegExp(`^task +${task?.id} `, 'm'));

  const { record, entry, number } = await taskFiles(sandbox, task);
  expect(record).toMatchObject({
    id: `claude-task-${task?.id}`,
    status: 'pending',
    metadata: {
      orchestration_task_id: task?.id,
      flow_id: task?.flowId,
      conversation_id: task?.conversationId,
    },
  });
  expect(entry).toMatchObject({ id: String(number), status: 'pending' });
  expect(entry.description).toContain('why login fails');
});

test('`--version` reads neither the packages nor the store', async () => {
  const sandbox = await sandboxForTest();
  const hook = `import { registerHooks } from 'node:module';
    import { writeSync } from 'node:fs';
    registerHooks({ resolve(specifier, context, next) {
      const found = next(specifier, context);
      writeSync(2, found.url + '\\n');
      return found;
    } });`;
  const node = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
  const { stdout, stderr, code } = await spawnCli(sandbox, ['--version'], node).ended;
  expect([code, stdout]).toEqual([0, '0.1.0\n']);
  const urls = stderr.trim().split('\n');
  expect(urls.some((url) => url.endsWith('/dist/cli.js'))).toBe(true);
  const files = [...new Set(urls)].filter((url) => url.startsWith('file:') && !url.includes('/bin/'));
  const bytes = files.map((url) => statSync(new URL(url)).size).reduce((sum, size) => sum + size, 0);
  // No package is so small, nor is the store.
  expect(bytes).toBeLessThan(40_000);
  expect(urls.filter((url) => url === 'node:sqlite')).toEqual([]);
  expect(existsSync(sandbox.dataFolder)).toBe(false);
});

describe('the compiled code', () => {
  const kept = (sandbox: Sandbox, ...names: readonly string[]) => join(sandbox.home, '.cache', ...names);

  test('is kept in a folder of the user’s own, and nowhere else in the home', async () => {
    const sandbox = await sandboxForTest({ env: { XDG_CACHE_HOME: '' } });
    expect(await cli(sandbox, 'task', 'list')).toMatchObject({ code: 0 });
    expect(readdirSync(sandbox.home)).toEqual(['.cache']);
    expect(readdirSync(kept(sandbox))).toEqual(['hookctl']);
    expect(statSync(kept(sandbox, 'hookctl')).mode & 0o777).toBe(0o700);
    expect(readdirSync(kept(sandbox, 'hookctl'), { recursive: true }).length).toBeGreaterThan(3);
  });

  test.each<[string, (sandbox: Sandbox) => void]>([
    [
      'a folder that others can write to',
      (sandbox) => mkdirSync(kept(sandbox, 'hookctl'), { recursive: true }),
    ],
    [
      'a link',
      (sandbox) => mkdirSync(kept(sandbox)) ?? symlinkSync(sandbox.project, kept(sandbox, 'hookctl')),
    ],
    ['a file', (sandbox) => writeFileSync(kept(sandbox), '')],
    ['no home', (sandbox) => rmdirSync(sandbox.home)],
  ])('is not kept where there is %s, which is no error', async (_, prepare) => {
    const sandbox = await sandboxForTest({ env: { XDG_CACHE_HOME: '' } });
    prepare(sandbox);
    if (existsSync(kept(sandbox, 'hookctl'))) chmodSync(kept(sandbox, 'hookctl'), 0o777);
    const before = readdirSync(sandbox.root, { recursive: true });
    expect(await cli(sandbox, 'task', 'list')).toMatchObject({ code: 0 });
    expect(readdirSync(sandbox.root, { recursive: true })).toEqual(before);
  });
});

test('`--verbose` shows an error by its place in the source', async () => {
  const sandbox = await sandboxForTest();
  const { stderr, code } = await cli(sandbox, '--verbose', 'delivery', 'show', 'dlv-none');
  expect(code).toBe(4);
  expect(stderr).toMatch(/^ +at .*src\/[\w/.-]+\.ts:\d+:\d+/m);
});

/** A Node on this machine that is older than hookctl needs; null where there is none. */
function oldNode(): { readonly path: string; readonly version: string } | null {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  for (const folder of [...folders, '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, 'node');
    if (!existsSync(path)) continue;
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 22 || (major === 22 && minor < 22)) return { path, version };
  }
  return null;
}

describe('on a machine with an old Node', () => {
  const old = oldNode();
  if (old === null) console.info('skipped: every Node on this machine is new enough for hookctl');

  test.skipIf(old === null)('an installed package says in one line what it needs', async () => {
    const sandbox = await sandboxForTest();
    const { code, stdout, stderr } = await spawnIn(sandbox, old?.path ?? '', [cliPath(), 'serve']).ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `hookctl needs Node 22.22 or newer; this is ${old?.version}. Install a newer one from https://nodejs.org.\n`,
    );
  });

  test.skipIf(old === null)(
    'a clone runs on the Node that `npm ci` brought, and passes on how it ended',
    async () => {
      const sandbox = await sandboxForTest();
      const clone = (...args: readonly string[]) =>
        spawnIn(sandbox, old?.path ?? '', [join(ROOT, 'bin/hookctl.js'), ...args]);
      expect(await clone('--version').ended).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' });
      expect(await clone('delivery', 'show', 'dlv-none').ended).toMatchObject({ code: 4, stdout: '' });

      const serve = clone('serve', '--json', '--port', '0', '--management-port', '0');
      await eventually('the ready line', () => serve.stdout().includes('"type":"ready"'));
      const { pid } = JSON.parse(serve.stdout().split('\n')[0] ?? '') as { pid: number };
      expect(pid).not.toBe(serve.child.pid);
      serve.child.kill('SIGTERM');
      expect((await serve.ended).code).toBe(0);
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    },
  );
});
