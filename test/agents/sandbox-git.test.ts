import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bwrapCommand } from '../../src/agents/sandbox/command-lines.ts';
import { insideFiles } from '../../src/agents/sandbox/inside.ts';
import { sandboxSchema } from '../../src/agents/sandbox/settings.ts';

const APP = "!'/opt/node' '/opt/hookctl/bin/hookctl.js' git-credential";
const GIT = {
  GIT_CONFIG_COUNT: '3',
  GIT_CONFIG_KEY_0: 'credential.https://github.com.helper',
  GIT_CONFIG_VALUE_0: '',
  GIT_CONFIG_KEY_1: 'credential.https://github.com.helper',
  GIT_CONFIG_VALUE_1: APP,
  GIT_CONFIG_KEY_2: 'credential.https://github.com.useHttpPath',
  GIT_CONFIG_VALUE_2: 'true',
};

async function settingsInside(credentials: readonly string[]): Promise<readonly string[]> {
  const { env } = await bwrapCommand(
    {
      settings: sandboxSchema.parse({ use: 'bwrap', credentials }),
      ...{ mounts: [], sockets: '/tmp/sockets', managementPort: 8001, home: '/home/agent', name: 'x' },
      ...{ hostEnv: { HOME: '/home/me' }, projectFolder: '/srv' },
    },
    { program: '/bin/true', args: [], env: GIT, folder: '/srv' },
  );
  return Array.from(
    { length: Number(env.GIT_CONFIG_COUNT) },
    (_, index) => `${env[`GIT_CONFIG_KEY_${index}`]} = ${env[`GIT_CONFIG_VALUE_${index}`]}`,
  );
}

test('git in a sandbox: the helper of the App is one that is there inside, also beside credentials of other hosts', async () => {
  const app = [
    'credential.https://github.com.helper = ',
    'credential.https://github.com.helper = !node /run/hookctl/app-credential.mjs',
    'credential.https://github.com.useHttpPath = true',
  ];
  expect(await settingsInside([])).toEqual(app);
  const both = await settingsInside(['git.example']);
  expect(both.slice(-3)).toEqual(app);
  expect(both[0]).toBe('credential.helper = !node /run/hookctl/credential.mjs');
  expect(both).toHaveLength(6);
});

test('git in a sandbox: its helper asks hookctl with the token of the run, and says why it gets none', async () => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      asked.push([request.url, request.headers.authorization, JSON.parse(body)]);
      const isGiven = body.includes('acme/api');
      response.writeHead(isGiven ? 200 : 403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          isGiven
            ? { username: 'x-access-token', password: 'ghs_1' }
            : { detail: 'not yours', fix: 'Let it' },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-inside-'));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const script = join(folder, 'app-credential.mjs');
  writeFileSync(script, insideFiles['app-credential.mjs'] ?? '');
  const { port } = server.address() as AddressInfo;
  const env = {
    ...{ PATH: process.env.PATH, HOOKCTL_MCP_URL: `http://127.0.0.1:${port}/mcp` },
    ...{ HOOKCTL_RUN_TOKEN: 'run-token', HOOKCTL_RUN_ID: 'run-1' },
  };
  const ask = (action: string, path: string) =>
    new Promise<readonly string[]>((resolve) => {
      const child = execFile(process.execPath, [script, action], { env }, (_, stdout, stderr) =>
        resolve([stdout, stderr]),
      );
      child.stdin?.end(`protocol=https\nhost=github.com\npath=${path}\nwwwauth[]=Basic\n\n`);
    });
  expect(await ask('get', 'acme/api.git')).toEqual(['username=x-access-token\npassword=ghs_1\n', '']);
  expect(await ask('get', 'acme/other.git')).toEqual(['quit=1\n', 'hookctl: no token: not yours. Let it\n']);
  expect(await ask('erase', 'acme/api.git')).toEqual(['', '']);
  expect(await ask('store', 'acme/api.git')).toEqual(['', '']);
  expect(asked).toHaveLength(3);
  expect(asked[0]).toEqual([
    '/hooks/git/run-1',
    'Bearer run-token',
    { action: 'get', protocol: 'https', host: 'github.com', path: 'acme/api.git' },
  ]);
});
