import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { comment, signedPost } from '../support/github.ts';
import { expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { type Server, tokenOf } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

interface Webhook {
  readonly webhook_id: string;
  readonly endpoint: string;
  readonly url: string;
}

const suite = serverOfSuite();
let sandbox: Sandbox;
let server: Server;
beforeAll(() => {
  ({ sandbox, server } = suite());
});

const add = (name: string, secret: string) =>
  cliJson<Webhook>(sandbox, 'webhook', 'add', 'github', '--name', name, '--secret', secret);

/** What the running server answers at once, without any waiting. */
async function answered({ endpoint }: Webhook, secret: string): Promise<number> {
  const { status } = await signedPost(server.url, comment('@agent analyze'), { secret, path: endpoint });
  return status;
}

test('webhook changes: applied by the server when the command returns', async () => {
  const webhook = await add('live', 'first');
  expect(webhook.url).toBe(server.url + webhook.endpoint);
  expect(await answered(webhook, 'first')).toBe(202);

  await cliJson(sandbox, 'webhook', 'disable', 'live');
  expect(await answered(webhook, 'first')).toBe(403);
  await cliJson(sandbox, 'webhook', 'enable', 'live');
  await cliJson(sandbox, 'webhook', 'rotate-secret', 'live', '--secret', 'second', '--overlap', '1h');
  expect([await answered(webhook, 'first'), await answered(webhook, 'second')]).toEqual([202, 202]);
  await cliJson(sandbox, 'webhook', 'edit', 'live', '--secret', 'third', '--name', 'renamed');
  expect([await answered(webhook, 'second'), await answered(webhook, 'third')]).toEqual([401, 202]);

  await cliJson(sandbox, 'webhook', 'command', 'add', 'renamed', '--text-name', 'analyze');
  const shown = await expectJson<{ commands: unknown[] }>(
    200,
    server,
    'GET',
    `/api/webhooks/${webhook.webhook_id}`,
  );
  expect(shown.commands).toMatchObject([{ name: 'analyze' }]);
  const exported = await cli(sandbox, 'webhook', 'export', 'renamed', '--with-secrets');
  await cliJson(sandbox, 'webhook', 'remove', 'renamed');
  expect(await answered(webhook, 'third')).toBe(404);
  await sandbox.write('back.json', exported.stdout);
  await cliJson(sandbox, 'webhook', 'import', 'back.json');
  expect(await answered(webhook, 'third')).toBe(202);
});

test('webhook list: shows the last delivery, as the API does', async () => {
  const webhook = await add('listed', 'x');
  const { id } = await signedPost(server.url, comment('hello'), { secret: 'x', path: webhook.endpoint });
  const listed = await cliJson<readonly object[]>(sandbox, 'webhook', 'list');
  expect(listed).toContainEqual(expect.objectContaining({ name: 'listed', last_delivery_id: id, total: 1 }));
  const { items } = await expectJson<{ items: object[] }>(200, server, 'GET', '/api/webhooks?limit=200');
  expect(items).toContainEqual(listed.find((it) => 'name' in it && it.name === 'listed'));
});

test('webhook changes: concurrent commands lose nothing, with and without a server', async () => {
  for (const place of [sandbox, await sandboxForTest()]) {
    const names = Array.from({ length: 5 }, (_, index) => `at once ${index}`);
    const ran = await Promise.all(
      names.map((name) => cli(place, 'webhook', 'add', 'github', '--name', name)),
    );
    expect(ran.map(({ code, stderr }) => (code === 0 ? 'ok' : stderr))).toEqual(names.map(() => 'ok'));
    const listed = await cliJson<{ name: string }[]>(place, 'webhook', 'list');
    expect(
      listed
        .map(({ name }) => name)
        .filter((name) => name.startsWith('at once'))
        .sort(),
    ).toEqual(names);
  }
});

test('webhook restore: applied by the server when it returns', async () => {
  const webhook = await add('restored', 'y');
  await writeFile(join(sandbox.dataFolder, 'webhooks.json'), '{');
  expect(await answered(webhook, 'y')).toBe(202);
  expect(await cliJson(sandbox, 'webhook', 'restore')).toMatchObject({
    kept: expect.stringContaining('corrupt'),
  });
  expect(await answered(webhook, 'y')).toBe(202);
});

test('token and api: print the token, send requests with it', async () => {
  expect((await cli(sandbox, 'token')).stdout).toBe(`${tokenOf(sandbox)}\n`);
  await sandbox.write('new.json', '{"provider":"github","name":"by api"}');
  const made = await cli(sandbox, 'api', 'POST', '/api/webhooks', '--data', '@new.json');
  expect(made.code).toBe(0);
  const { webhook_id } = JSON.parse(made.stdout) as Webhook;
  const path = `/api/webhooks/${webhook_id}`;
  const put = await cli(sandbox, 'api', 'put', path, '--data', '{"target_agent":"planning"}');
  expect(JSON.parse(put.stdout)).toMatchObject({ webhook_id, target_agent: 'planning' });
  const refused = await cli(sandbox, 'api', 'PUT', path, '--data', '{"provider":"jira"}');
  expect(refused).toMatchObject({ code: 1, stderr: '400 Bad Request\n' });
  expect(JSON.parse(refused.stdout)).toMatchObject({ code: 'immutable_field' });
  expect(await cli(sandbox, 'api', 'DELETE', path)).toMatchObject({ code: 0, stdout: '' });
  expect(await cli(sandbox, 'api', 'GET', path)).toMatchObject({ code: 4, stderr: '404 Not Found\n' });
  expect(await cli(sandbox, 'api', 'BREW', path)).toMatchObject({ code: 2 });
});

test('token and api: name the folder without a server', async () => {
  const idle = await sandboxForTest();
  const { code, stderr } = await cli(idle, 'api', 'GET', '/api/webhooks');
  expect(code).toBe(1);
  expect(stderr).toContain(`no server runs on ${idle.dataFolder}`);
  expect(await cli(idle, 'token')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining(idle.dataFolder),
  });
});
