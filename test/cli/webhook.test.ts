import { beforeAll, describe, expect, test } from 'vitest';
import { type Told, tell, tellJson } from '../support/in-process.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { sandboxOfSuite } from '../support/suite.ts';

interface Webhook {
  readonly webhook_id: string;
  readonly secret?: string;
  readonly [field: string]: unknown;
}
interface CommandAnswer {
  readonly command: { readonly id: string; readonly [field: string]: unknown };
}

/** What a command that must succeed says. */
async function ok(ran: Promise<Told>): Promise<string> {
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
    webhook = await tellJson<Webhook>(
      sandbox,
      ...['webhook', 'add', 'github', '--name', 'triage', '--prefix', '@bot', '--agent', 'planning'],
      ...['--allow-association', 'OWNER', '--allow-user', '5', '--event', 'issues.edited', '--no-sync'],
    );
  });

  const show = () => tellJson<Webhook>(sandbox, 'webhook', 'show', 'triage');

  test('is added with its own secret, which is shown once', async () => {
    const { secret, ...kept } = webhook;
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(kept).toMatchObject({
      ...{ name: 'triage', provider: 'github', origin: 'dynamic', enabled: true, has_secret: true },
      ...{ url: `http://127.0.0.1:8000/webhooks/github/${webhook.webhook_id}` },
      ...{ command_prefix: '@bot', target_agent: 'planning', events: ['issues.edited'] },
      ...{ allow: { associations: ['OWNER'], users: ['5'], apps: [] }, sync_to_claude_tasks: false },
    });
    expect(await show()).toEqual(kept);
    const { stdout } = await tell(sandbox, 'webhook', 'show', 'triage', '--show-secret');
    expect(stdout.trim()).toBe(secret);
  });

  test('is printed with the provider’s form and the next command', async () => {
    const said = await ok(
      tell(sandbox, 'webhook', 'add', 'github', '--name', 'second', '--secret-env', 'SECOND'),
    );
    expect(said).toMatch(/added second \(wh-\w+\)/);
    expect(said).toMatch(/Payload URL: http:\/\/127\.0\.0\.1:8000\/webhooks\/github\/wh-/);
    expect(said).toMatch(/^ +Secret: hookctl webhook show second --show-secret$/m);
    expect(said).toMatch(/No server runs/);
    expect(said).toMatch(/Next: hookctl webhook command add second --trigger/);
    expect(await ok(tell(sandbox, 'webhook', 'list'))).toMatch(/second +github +dynamic +no secret/);
  });

  test('is edited: only what the options name changes', async () => {
    const args = ['--allow-user', '7', '--prefix', '@other', '--clear', 'agent'];
    expect(await ok(tell(sandbox, 'webhook', 'edit', 'TRIAGE', ...args))).toMatch(/command_prefix/);
    expect(await show()).toMatchObject({
      ...{ command_prefix: '@other', target_agent: 'brain', events: ['issues.edited'] },
      ...{ allow: { associations: ['OWNER'], users: ['7'] } },
    });
    expect(await tell(sandbox, 'webhook', 'edit', 'triage')).toMatchObject({ code: 2 });
  });

  test('is disabled and enabled', async () => {
    expect(await ok(tell(sandbox, 'webhook', 'disable', 'triage'))).toMatch(/is now disabled/);
    expect(await ok(tell(sandbox, 'webhook', 'list'))).toMatch(/triage +github +dynamic +disabled/);
    expect(await ok(tell(sandbox, 'webhook', 'enable', 'triage'))).toMatch(/is now enabled/);
    expect(await ok(tell(sandbox, 'webhook', 'enable', 'triage'))).toMatch(/was enabled/);
  });

  test('gets a new secret while the old one stays valid', async () => {
    const rotated = await tellJson<Webhook & { former_secret_expires_at: string }>(
      sandbox,
      ...['webhook', 'rotate-secret', 'triage', '--overlap', '2h'],
    );
    expect(rotated.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(rotated.secret).not.toBe(webhook.secret);
    const hours = (Date.parse(rotated.former_secret_expires_at) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(1.9);
    expect(hours).toBeLessThanOrEqual(2);
    expect(await tell(sandbox, 'webhook', 'rotate-secret', 'triage', '--overlap', 'soon')).toMatchObject({
      code: 2,
    });
    const said = await ok(tell(sandbox, 'webhook', 'rotate-secret', 'triage', '--overlap', '0'));
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
    const first = await tellJson<CommandAnswer>(
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
    const said = await ok(tell(sandbox, 'webhook', 'command', 'add', 'triage', ...text));
    expect(said).toMatch(/added cmd-\w+ \(analyze\) in triage/);
    expect(said).toMatch(/Next: hookctl trigger github --text '@other analyze' --webhook triage/);
    expect(await ok(tell(sandbox, 'webhook', 'command', 'list', 'triage'))).toMatch(
      /analyze, analysis, look/,
    );

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
    const edited = await tellJson<CommandAnswer>(sandbox, ...edit, '--no-requires-approval');
    const { id } = first.command;
    expect(edited.command).toMatchObject({
      id,
      conditions: {},
      target_agent: 'x',
      requires_approval: false,
      priority: 5,
    });
    expect(await ok(tell(sandbox, 'webhook', 'command', 'remove', 'triage', id))).toMatch(`removed ${id}`);
    const left = await tellJson<readonly unknown[]>(sandbox, 'webhook', 'command', 'list', 'triage');
    expect(left).toMatchObject([{ name: 'analyze' }]);
  });

  test('F8: a command starts without approval only with --approval never, is listed so, and waits once it is cleared', async () => {
    const on = ['webhook', 'command'];
    const add = [...on, 'add', 'triage', '--trigger', 'issues.reopened'];
    const refused = await tell(sandbox, ...add, '--approval', 'always');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('never')]);
    const { command } = await tellJson<CommandAnswer>(sandbox, ...add, '--approval', 'never');
    expect(command).toMatchObject({ trigger: 'issues.reopened', approval: 'never' });
    const row = async () => {
      const listed = await ok(tell(sandbox, ...on, 'list', 'triage'));
      return listed.split('\n').find((line) => line.includes(command.id)) ?? '';
    };
    expect(await row()).toMatch(/ never\b/);
    const edit = [...on, 'edit', 'triage', command.id];
    const cleared = await tellJson<CommandAnswer>(sandbox, ...edit, '--clear', 'approval');
    expect(cleared.command.id).toBe(command.id);
    expect(cleared.command).not.toHaveProperty('approval');
    expect(await row()).not.toMatch(/ never\b/);
    await ok(tell(sandbox, ...edit, '--approval', 'never'));
    expect(await row()).toMatch(/ never\b/);
    await ok(tell(sandbox, ...on, 'remove', 'triage', command.id));
  });

  test('is found by a prefix of its id, and never guessed', async () => {
    const { webhook_id: id } = webhook;
    expect((await tellJson<Webhook>(sandbox, 'webhook', 'show', id.slice(0, -1))).webhook_id).toBe(id);
    const many = await tell(sandbox, 'webhook', 'remove', id.slice(0, 5));
    expect(many.code).toBe(2);
    expect(many.stderr).toMatch(/wh-\w+ {2}triage\n.*wh-\w+ {2}second/);
    expect(await tell(sandbox, 'webhook', 'remove', 'tri')).toMatchObject({ code: 4 });
    expect((await tell(sandbox, 'webhook', 'edit', 'triag', '--agent', 'x')).stderr).toMatch(
      /Did you mean triage/,
    );
  });

  test('is removed', async () => {
    expect(await ok(tell(sandbox, 'webhook', 'remove', 'second'))).toMatch(/removed second/);
    expect(await tell(sandbox, 'webhook', 'show', 'second')).toMatchObject({ code: 4 });
  });
});
