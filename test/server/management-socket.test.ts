import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requestLocal } from '../../src/lib/http/local-request.ts';
import { tell } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

const files = { 'webhooks.yml': 'management: { socket: management.sock }\n' };

test('management.socket: the CLI that shares the data folder reaches the server by it, with the token', async () => {
  const sandbox = await sandboxForTest({ files });
  const server = await serveHere(sandbox);
  const socket = join(sandbox.dataFolder, 'management.sock');
  expect(statSync(socket).mode & 0o777).toBe(0o600);

  // As from outside of a container, where the port leads nowhere.
  const holder = join(sandbox.dataFolder, 'serve.json');
  const known = JSON.parse(readFileSync(holder, 'utf8'));
  writeFileSync(holder, JSON.stringify({ ...known, server: { ...known.server, managementPort: 9 } }));
  const { code, stdout } = await tell(sandbox, 'status', '--json');
  expect([code, JSON.parse(stdout).server.pid]).toEqual([0, process.pid]);

  const ask = (headers: Record<string, string>) =>
    requestLocal('http://localhost/api/status', { method: 'GET', headers, body: null, socket });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ host: 'evil.example' })).status).toBe(421);
  expect((await ask({ 'x-forwarded-for': '10.0.0.1' })).status).toBe(403);
  await server.stop();
  expect(existsSync(socket)).toBe(false);
});

test('management.socket: replaces what a killed server left, and nothing else', async () => {
  const sandbox = await sandboxForTest({ files });
  await (await serveHere(sandbox)).stop();
  const socket = join(sandbox.dataFolder, 'management.sock');
  const dead = createServer().listen(socket);
  await new Promise((resolve) => dead.once('listening', resolve));
  const server = await serveHere(sandbox);
  expect(JSON.parse((await tell(sandbox, 'status', '--json')).stdout).server.pid).toBe(process.pid);
  await server.stop();
  dead.close();
  writeFileSync(socket, 'a file of somebody');
  const { code, stderr } = await tell(sandbox, 'serve', '--port', '0', '--management-port', '0');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/can't listen on .*management\.sock[\s\S]*management\.socket of webhooks\.yml/),
  ]);
  expect(readFileSync(socket, 'utf8')).toBe('a file of somebody');
});

test('management.socket: a path that no socket can have is refused', async () => {
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': `management: { socket: "${'s'.repeat(120)}" }\n` },
  });
  const { code, stderr } = await tell(sandbox, 'serve', '--port', '0', '--management-port', '0');
  expect([code, stderr]).toEqual([1, expect.stringContaining('may have 103 bytes')]);
});
