import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectedProject } from '../recover/serve-support.ts';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';

test('an App: its hook follows by one call that leaves the secret alone; connect remove forgets its key', async () => {
  const { sandbox, port, api, hook } = await connectedProject('webhooks: { github: {} }\n', { isApp: true });
  const { secret } = hook;
  writeFileSync(
    join(sandbox.project, 'webhooks.yml'),
    `publicUrl: https://second.example
credentials: { github: { tokenEnv: TOKEN, baseUrl: '${api.url()}', privateNetwork: true } }
webhooks: { github: { commands: [{ name: analyze }] } }
`,
  );
  const served = await serveHere(sandbox, ['--port', String(port)]);
  await eventually('the hook', () => hook.url.startsWith('https://second.example/webhooks/github?hookctl='));
  const changes = api.calls.filter(({ method }) => method !== 'GET');
  expect(changes.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['PATCH', '/app/hook/config', { url: hook.url }],
  ]);
  expect(hook.secret).toBe(secret);

  const keys = () => readdirSync(join(sandbox.dataFolder, 'github-apps'));
  expect(keys()).toHaveLength(1);
  const { code, stdout } = await tell(sandbox, 'connect', 'remove', 'acme-hookctl');
  expect([code, stdout]).toEqual([0, expect.stringContaining('acme-hookctl')]);
  expect(keys()).toEqual([]);
  expect(readStore(sandbox, (reader) => reader.connections())).toEqual([]);
  await served.stop();
});

test('recover with nothing connected says so, and what to type', async () => {
  const { sandbox, port } = await connectedProject('webhooks: { github: {} }\n', { isApp: true });
  const served = await serveHere(sandbox, ['--port', String(port)]);
  await tell(sandbox, 'connect', 'remove', 'acme-hookctl');
  const { code, stderr, stdout } = await tell(sandbox, 'recover');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('nothing is connected');
  expect(stderr).toContain('hookctl connect github');
  await served.stop();
});
