import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, type SandboxOptions, sandboxForTest } from '../support/sandbox.ts';

/** A user with `hookctl` where `place` says, and nothing else on the PATH. */
async function userWith(place: string | null, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await sandboxForTest(options);
  const bin = join(sandbox.root, 'bin');
  await mkdir(bin);
  if (place !== null) {
    const program = join(sandbox.root, place, 'hookctl');
    await mkdir(join(sandbox.root, place), { recursive: true });
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
  }
  return { ...sandbox, env: { ...sandbox.env, PATH: bin } };
}

const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('claude install --mcp registers the tools for the project, without a secret, and uninstall leaves nothing behind', async () => {
  const user = await userWith('bin');
  const file = join(user.project, '.mcp.json');
  const { stderr } = await tell(user, 'claude', 'install', '--mcp');
  expect(stderr).toContain('asks once before it starts `hookctl mcp`');
  expect(await read(file)).toEqual({
    mcpServers: { hookctl: { type: 'stdio', command: 'hookctl', args: ['mcp'] } },
  });
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  expect(await tellJson(user, 'claude', 'install', '--mcp')).toMatchObject({
    mcp: { path: file, changed: [] },
  });
  expect(await tellJson(user, 'claude', 'status')).toMatchObject({ mcp_file: file, mcp_installed: true });
  expect(await tellJson(user, 'claude', 'uninstall')).toMatchObject({ mcp: { changed: ['hookctl'] } });
  expect([existsSync(file), existsSync(join(user.project, '.claude'))]).toEqual([false, false]);
  expect((await tell(user, 'claude', 'status')).stdout).toContain(
    'not registered: hookctl claude install --mcp',
  );
});

test('claude install --push writes a plugin whose monitor is `hookctl claude watch`, and uninstall leaves nothing behind', async () => {
  const user = await userWith('bin');
  const { push } = await tellJson<{ push: { plugin: string } }>(user, 'claude', 'install', '--push');
  expect(await read(join(push.plugin, 'hookctl/monitors/monitors.json'))).toMatchObject([
    { command: 'hookctl claude watch' },
  ]);
  const settings = await read(join(user.project, '.claude/settings.local.json'));
  const [[market, { source }] = ['', { source: null }]] = Object.entries<{ source: object }>(
    settings.extraKnownMarketplaces,
  );
  expect(source).toEqual({ source: 'directory', path: push.plugin });
  expect(settings).toMatchObject({
    enabledPlugins: { [`hookctl@${market}`]: true },
    env: { HOOKCTL_PUSH: '1' },
  });
  expect((await read(join(push.plugin, '.claude-plugin/marketplace.json'))).name).toBe(market);
  await tell(user, 'claude', 'uninstall');
  expect([existsSync(push.plugin), existsSync(join(user.project, '.claude'))]).toEqual([false, false]);
});

test('what others have in .mcp.json and .claude stays as it was', async () => {
  const user = await userWith('bin');
  const file = join(user.project, '.mcp.json');
  const theirs = '{\n\t"mcpServers": { "other": { "command": "x" } },\n\t"more": 1\n}\n';
  await writeFile(file, theirs);
  await mkdir(join(user.project, '.claude'));
  await tell(user, 'claude', 'install', '--mcp');
  expect(Object.keys((await read(file)).mcpServers)).toEqual(['other', 'hookctl']);
  expect(await readFile(file, 'utf8')).toMatch(/^\{\n\t"mcpServers"/);
  await tell(user, 'claude', 'uninstall');
  expect(await read(file)).toEqual(JSON.parse(theirs));
  expect(existsSync(join(user.project, '.claude'))).toBe(true);
});

test('a registration of somebody else by the same name is refused, and stays', async () => {
  const user = await userWith('bin', {
    files: { '.mcp.json': '{"mcpServers":{"hookctl":{"command":"mine"}}}' },
  });
  const { code, stderr } = await tell(user, 'claude', 'install', '--mcp');
  expect([code, stderr]).toEqual([1, expect.stringContaining('sets hookctl to {"command":"mine"} already')]);
  await tell(user, 'claude', 'uninstall');
  expect(await read(join(user.project, '.mcp.json'))).toEqual({
    mcpServers: { hookctl: { command: 'mine' } },
  });
});

test.each([
  ['project/node_modules/.bin', ['npx', '--no', '--', 'hookctl', 'mcp'], null],
  [null, ['node', expect.stringMatching(/\/bin\/hookctl\.js$/), 'mcp'], 'names a path of this machine'],
])('hookctl in %s is started as it is reached there', async (place, started, warning) => {
  const user = await userWith(place);
  const { stderr } = await tell(user, 'claude', 'install', '--mcp');
  const { command, args } = (await read(join(user.project, '.mcp.json'))).mcpServers.hookctl;
  expect([command, ...args]).toEqual(started);
  expect(stderr.includes('names a path')).toBe(warning !== null);
});
