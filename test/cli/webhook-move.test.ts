import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, cliJson, type Ran } from '../support/cli.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';

interface Webhook {
  readonly webhook_id: string;
  readonly [field: string]: unknown;
}

/** What a command that must succeed says. */
async function ok(ran: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await ran;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout + stderr;
}

describe('moving webhooks', () => {
  test('by export and import, as JSON and as YAML, with or without secrets', async () => {
    const [from, to] = [await sandboxForTest(), await sandboxForTest()];
    const made = await cliJson<Webhook>(
      from,
      'webhook',
      'add',
      'github',
      '--name',
      'moved',
      '--secret',
      'keep-me',
    );
    await ok(
      cli(from, 'webhook', 'command', 'add', 'moved', '--trigger', 'push', '--when', 'ref~^refs/heads/'),
    );
    const yaml = await cli(from, 'webhook', 'export', 'moved', '--format', 'yaml');
    expect(yaml.stdout).not.toContain('keep-me');
    const file = join(to.project, 'moved.json');
    await ok(cli(from, 'webhook', 'export', '--with-secrets', '--output', file));

    const [added] = await cliJson<{ outcome: string; webhook: Webhook }[]>(
      to,
      'webhook',
      'import',
      'moved.json',
    );
    expect(added).toMatchObject({ outcome: 'added', webhook: { webhook_id: made.webhook_id } });
    expect(added).not.toHaveProperty('secret');
    expect((await cli(to, 'webhook', 'show', 'moved', '--show-secret')).stdout.trim()).toBe('keep-me');
    await to.write('moved.yml', yaml.stdout.replace('heads', 'tags'));
    expect(await ok(cli(to, 'webhook', 'import', 'moved.yml'))).toMatch(/updated moved/);
    expect((await cli(to, 'webhook', 'show', 'moved', '--show-secret')).stdout.trim()).toBe('keep-me');
    const commands = await cliJson<readonly unknown[]>(to, 'webhook', 'command', 'list', 'moved');
    expect(commands).toMatchObject([{ trigger: 'push', conditions: { ref: { $regex: '^refs/tags/' } } }]);

    await to.write('wrong.yml', yaml.stdout.replace('provider: github', 'provider: github\n    colour: red'));
    const wrong = await cli(to, 'webhook', 'import', 'wrong.yml');
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toMatch(/wrong\.yml:4:5 webhooks\.0\.colour: unknown field/);
  });

  test('from static to dynamic and back', async () => {
    const sandbox = await sandboxForTest();
    const copy = await cliJson<Webhook>(sandbox, 'webhook', 'add', '--from', 'github', '--name', 'copy');
    const original = await cliJson<Webhook>(sandbox, 'webhook', 'show', 'github');
    const commands = ({ commands: list }: Webhook) =>
      (list as { id: string }[]).map(({ id: _, ...rest }) => rest);
    expect(commands(copy)).toEqual(commands(original));
    await sandbox.write('webhooks.yml', 'static: ./webhooks/*.ts\n');
    await sandbox.write('webhooks/.keep', '');
    await ok(cli(sandbox, 'webhook', 'export', 'copy', '--typescript', '--output', 'webhooks/copy.ts'));
    await ok(cli(sandbox, 'webhook', 'remove', 'copy'));
    // A module counts from the next start on.
    await (await serverForTest(sandbox)).stop();
    const back = await cliJson<Webhook>(sandbox, 'webhook', 'show', 'copy');
    expect(back).toMatchObject({ origin: 'static', endpoint: copy.endpoint });
    expect(commands(back)).toEqual(commands(original));
    const refused = await cli(sandbox, 'webhook', 'disable', 'copy');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/webhooks\/copy\.ts:\d+/);
  });
});

test('webhook restore: restores a damaged db, which nothing else overwrites', async () => {
  const sandbox = await sandboxForTest();
  await ok(cli(sandbox, 'webhook', 'add', 'github', '--name', 'good'));
  const file = join(sandbox.dataFolder, 'webhooks.json');
  const damaged = (await readFile(file, 'utf8')).replace('"name"', '"nam');
  await writeFile(file, damaged);
  const refused = await cli(sandbox, 'webhook', 'add', 'github', '--name', 'more');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/webhooks\.json:\d+:\d+ /);
  expect(await readFile(file, 'utf8')).toBe(damaged);
  expect(await ok(cli(sandbox, 'webhook', 'list'))).toMatch(/good +github +dynamic/);
  const { kept } = await cliJson<{ kept: string }>(sandbox, 'webhook', 'restore');
  expect(existsSync(kept)).toBe(true);
  await ok(cli(sandbox, 'webhook', 'add', 'github', '--name', 'more'));
});
