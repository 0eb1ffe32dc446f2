import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson, type Ran } from '../support/cli.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { sandboxOfSuite } from '../support/suite.ts';

interface Webhook {
  readonly webhook_id: string;
  readonly secret?: string;
  readonly [field: string]: unknown;
}
interface CommandAnswer {
  readonly command: { readonly id: string; readonly [field: string]: unknown };
}

async function ok(ran: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await ran;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout + stderr;
}

describe('without a server, one webhook', () => {
  const suite = sandboxOfSuite();
  let sandbox: Sandbox;
  let webhook: Webhook;

  beforeAll(async () => {
    sandbox = suite();
    webhook = await cliJson<Webhook>(
      sandbox,
      ...['webhook', 'add', 'github', '--name', 'triage', '--prefix', '@bot', '--agent', 'planning'],
      ...['--allow-association', 'OWNER', '--allow-user', '5', '--event', 'issues.edited', '--no-sync'],
    );
  });

  const show = () => cliJson<Webhook>(sandbox, 'webhook', 'show', 'triage');

  test('is added with a secret of its own, which is shown this once', async () => {
    const { secret, ...kept } = webhook;
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(kept).toMatchObject({
      ...{ name: 'triage', provider: 'github', origin: 'dynamic', enabled: true, has_secret: true },
      ...{ url: `http://127.0.0.1:8000/webhooks/github/${webhook.webhook_id}` },
      ...{ command_prefix: '@bot', target_agent: 'planning', events: ['issues.edited'] },
      ...{ allow: { associations: ['OWNER'], users: ['5'], apps: [] }, sync_to_claude_tasks: false },
    });
    expect(await show()).toEqual(kept);
    const { stdout } = await cli(sandbox, 'webhook', 'show', 'triage', '--show-secret');
    expect(stdout.trim()).toBe(secret);
  });

  test('is said with what to paste into the provider’s form, and what to type next', async () => {
    const said = await ok(
      cli(sandbox, 'webhook', 'add', 'github', '--name', 'second', '--secret-env', 'SECOND'),
    );
    expect(said).toMatch(/added second \(wh-\w+\)/);
    expect(said).toMatch(/Payload URL +http:\/\/127\.0\.0\.1:8000\/webhooks\/github\/wh-/);
    expect(said).toMatch(/Secret +what `hookctl webhook show second --show-secret` prints/);
    expect(said).toMatch(/No server runs/);
    expect(said).toMatch(/Next: hookctl webhook command add second --trigger/);
    expect(await ok(cli(sandbox, 'webhook', 'list'))).toMatch(/second +github +dynamic +no secret/);
  });

  test('is changed in what is named, and keeps the rest', async () => {
    const args = ['--allow-user', '7', '--prefix', '@other', '--clear', 'agent'];
    expect(await ok(cli(sandbox, 'webhook', 'edit', 'TRIAGE', ...args))).toMatch(/command_prefix/);
    expect(await show()).toMatchObject({
      ...{ command_prefix: '@other', target_agent: 'brain', events: ['issues.edited'] },
      ...{ allow: { associations: ['OWNER'], users: ['7'] } },
    });
    expect(await cli(sandbox, 'webhook', 'edit', 'triage')).toMatchObject({ code: 2 });
  });

  test('is disabled and enabled', async () => {
    expect(await ok(cli(sandbox, 'webhook', 'disable', 'triage'))).toMatch(/is now disabled/);
    expect(await ok(cli(sandbox, 'webhook', 'list'))).toMatch(/triage +github +dynamic +disabled/);
    expect(await ok(cli(sandbox, 'webhook', 'enable', 'triage'))).toMatch(/is now enabled/);
    expect(await ok(cli(sandbox, 'webhook', 'enable', 'triage'))).toMatch(/was enabled/);
  });

  test('gets a new secret while the former one still verifies', async () => {
    const rotated = await cliJson<Webhook & { former_secret_expires_at: string }>(
      sandbox,
      ...['webhook', 'rotate-secret', 'triage', '--overlap', '2h'],
    );
    expect(rotated.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(rotated.secret).not.toBe(webhook.secret);
    const hours = (Date.parse(rotated.former_secret_expires_at) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(1.9);
    expect(hours).toBeLessThanOrEqual(2);
    expect(await cli(sandbox, 'webhook', 'rotate-secret', 'triage', '--overlap', 'soon')).toMatchObject({
      code: 2,
    });
    const said = await ok(cli(sandbox, 'webhook', 'rotate-secret', 'triage', '--overlap', '0'));
    expect(said).toMatch(/no longer verifies/);
  });

  test('has commands: added, listed, changed and removed', async () => {
    await sandbox.write('prompt.hbs', 'Look at {{issue.title}}\n');
    const trigger = [
      '--trigger',
      'issues.opened',
      '--when',
      'issue.labels.name=bug',
      '--when',
      'issue.comments>=3',
    ];
    const first = await cliJson<CommandAnswer>(
      sandbox,
      ...['webhook', 'command', 'add', 'triage', ...trigger],
      ...['--template-file', 'prompt.hbs', '--priority', '5', '--requires-approval'],
    );
    expect(first.command).toMatchObject({
      ...{ trigger: 'issues.opened', template: 'Look at {{issue.title}}\n', priority: 5 },
      ...{
        conditions: { 'issue.labels.name': 'bug', 'issue.comments': { $gte: 3 } },
        requires_approval: true,
      },
    });
    const text = [
      '--text-name',
      'analyze',
      '--alias',
      'analysis',
      '--alias',
      'look',
      '--template',
      '{{@argument}}',
    ];
    const said = await ok(cli(sandbox, 'webhook', 'command', 'add', 'triage', ...text));
    expect(said).toMatch(/added cmd-\w+ \(analyze\) in triage/);
    expect(said).toMatch(/Next: hookctl trigger github --text "@other analyze" --webhook triage/);
    expect(await ok(cli(sandbox, 'webhook', 'command', 'list', 'triage'))).toMatch(/analyze, analysis, look/);

    const edit = [
      'webhook',
      'command',
      'edit',
      'triage',
      'issues.opened',
      '--clear',
      'conditions',
      '--agent',
      'x',
    ];
    const edited = await cliJson<CommandAnswer>(sandbox, ...edit, '--no-requires-approval');
    const { id } = first.command;
    expect(edited.command).toMatchObject({
      id,
      conditions: {},
      agent: 'x',
      requires_approval: false,
      priority: 5,
    });
    expect(await ok(cli(sandbox, 'webhook', 'command', 'remove', 'triage', id))).toMatch(`removed ${id}`);
    const left = await cliJson<readonly unknown[]>(sandbox, 'webhook', 'command', 'list', 'triage');
    expect(left).toMatchObject([{ name: 'analyze' }]);
  });

  test('is found by the beginning of its id, and never guessed', async () => {
    const { webhook_id: id } = webhook;
    expect((await cliJson<Webhook>(sandbox, 'webhook', 'show', id.slice(0, -1))).webhook_id).toBe(id);
    const many = await cli(sandbox, 'webhook', 'remove', id.slice(0, 5));
    expect(many.code).toBe(2);
    expect(many.stderr).toMatch(/wh-\w+ {2}triage\n.*wh-\w+ {2}second/);
    expect(await cli(sandbox, 'webhook', 'remove', 'tri')).toMatchObject({ code: 4 });
    expect((await cli(sandbox, 'webhook', 'edit', 'triag', '--agent', 'x')).stderr).toMatch(
      /Did you mean triage/,
    );
  });

  test('is removed', async () => {
    expect(await ok(cli(sandbox, 'webhook', 'remove', 'second'))).toMatch(/removed second/);
    expect(await cli(sandbox, 'webhook', 'show', 'second')).toMatchObject({ code: 4 });
  });
});

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
    const back = await cliJson<Webhook>(sandbox, 'webhook', 'show', 'copy');
    expect(back).toMatchObject({ origin: 'static', endpoint: copy.endpoint });
    expect(commands(back)).toEqual(commands(original));
    const refused = await cli(sandbox, 'webhook', 'disable', 'copy');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/webhooks\/copy\.ts:\d+/);
  });
});

test('a damaged db is named, never written, and restored', async () => {
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
