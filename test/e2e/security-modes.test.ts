import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, cliPath, spawnIn } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { settled } from '../support/server.ts';

/** Runs a command line of hookctl as a user whose umask forbids nothing. */
function unmasked(sandbox: Sandbox, args: string) {
  return spawnIn(sandbox, '/bin/sh', ['-c', `umask 0; exec "${process.execPath}" "${cliPath()}" ${args}`]);
}

/** Everything below a folder that others could look into or write to. */
function loose(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const modes = ['.', ...names].map((name) => {
    const found = lstatSync(join(folder, name));
    return { name, mode: found.mode & 0o777, most: found.isDirectory() ? 0o700 : 0o600 };
  });
  return modes
    .filter(({ mode, most }) => (mode & ~most) !== 0)
    .map(({ name, mode }) => `${name} ${mode.toString(8)}`);
}

test('under umask 0 every file and folder that hookctl makes is its user’s alone', async () => {
  const sandbox = await sandboxForTest();
  const log = join(sandbox.home, 'serve.log');
  const run = async (args: string) => {
    const { code, stderr } = await unmasked(sandbox, args).ended;
    expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
  };
  await run('webhook add github --name triage');
  const serving = unmasked(sandbox, `serve --json --port 0 --management-port 0 --log-file ${log}`);
  onTestFinished(async () => {
    serving.child.kill('SIGKILL');
    await serving.ended;
  });
  const ready = await eventually('ready', () =>
    serving
      .stdout()
      .split('\n')
      .find((line) => line.startsWith('{"type":"ready"')),
  );
  const { ingress_url: url } = JSON.parse(ready) as { ingress_url: string };
  const { id } = await signedPost(url, comment('@agent analyze'));
  await settled(sandbox, id);
  await run('webhook disable triage');
  await run('webhook export triage --output exported.json');
  await run('task create look');
  await eventually('the task’s files', () =>
    readdirSync(sandbox.claudeFolder, { recursive: true }).some((name) => `${name}`.endsWith('1.json')),
  );
  serving.child.kill('SIGTERM');
  await serving.ended;
  await run('audit list');

  expect(readdirSync(sandbox.dataFolder).length).toBeGreaterThan(8);
  expect(loose(sandbox.dataFolder)).toEqual([]);
  expect(loose(join(sandbox.claudeFolder, 'tasks'))).toEqual([]);
  expect(loose(sandbox.home).filter((line) => !line.startsWith('. '))).toEqual([]);
  expect(lstatSync(join(sandbox.project, 'exported.json')).mode & 0o077).toBe(0);
});

test('a data folder that others may look into is refused by what reads and what writes, with the repair', async () => {
  const sandbox = await sandboxForTest();
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  writeFileSync(join(sandbox.dataFolder, 'token'), 'somebody may have read this', { mode: 0o600 });
  chmodSync(sandbox.dataFolder, 0o755);
  const repair = `chmod -R go-rwx ${sandbox.dataFolder}`;
  for (const args of [
    ['serve', '--port', '0', '--management-port', '0'],
    ['webhook', 'add', 'github', '--name', 'x'],
    ['task', 'create', 'look'],
    ['delivery', 'list'],
    ['audit', 'list'],
    ['token'],
  ]) {
    const { code, stderr, stdout } = await cli(sandbox, ...args);
    expect([args, code, stdout]).toEqual([args, 3, '']);
    expect(stderr).toContain('others may look into the data folder (mode 755)');
    expect(stderr).toContain(`Type: ${repair}`);
  }
  const repaired = await spawnIn(sandbox, '/bin/sh', ['-c', repair]).ended;
  expect(repaired.code).toBe(0);
  expect((await cli(sandbox, 'webhook', 'add', 'github', '--name', 'x')).code).toBe(0);
});
