import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/types.ts';
import type { AuditView } from '../../src/views.ts';
import { spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { ask, expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled } from '../support/server.ts';

const audit = (sandbox: Sandbox): readonly AuditEntry[] =>
  readStore(sandbox, (reader) => reader.audit({ limit: 1_000 }).toReversed());
const told = (lines: readonly AuditEntry[]) => lines.map(({ actor, what }) => `${actor.kind} ${what}`);
const database = ({ dataFolder }: Sandbox) => join(dataFolder, 'webhooks.json');

interface Made {
  readonly webhook_id: string;
  readonly commands: readonly { readonly id: string }[];
}

describe('audit of what the CLI changes while no server runs', () => {
  test('it is on record, line for line, with who and what, and without any value', async () => {
    const sandbox = await sandboxForTest();
    const run = async (...args: readonly string[]) => {
      const { code, stderr } = await tell(sandbox, 'webhook', ...args);
      expect([args, code, stderr]).toEqual([args, 0, expect.any(String)]);
    };
    await run('add', 'github', '--name', 'triage', '--secret', 'never-to-be-seen');
    await run('edit', 'triage', '--prefix', '@bot-unseen');
    await run('disable', 'triage');
    await run('enable', 'triage');
    await run('command', 'add', 'triage', '--text-name', 'look', '--template', 'unseen {{@argument}}');
    await run('command', 'remove', 'triage', 'look');
    await run('rotate-secret', 'triage', '--secret', 'never-to-be-seen-2');
    await run('remove', 'triage');

    const lines = audit(sandbox);
    expect(told(lines)).toEqual([
      'cli webhook.add',
      'cli webhook.edit',
      'cli webhook.disable',
      'cli webhook.enable',
      'cli command.add',
      'cli command.remove',
      'cli webhook.rotate_secret',
      'cli webhook.remove',
    ]);
    expect(lines[1]?.details).toEqual({ webhook: 'triage', fields: ['command_prefix'] });
    expect(lines[4]?.details).toMatchObject({ webhook: 'triage', name: 'look', action: 'create_task' });
    expect(new Set(lines.map(({ target }) => target)).size).toBe(1);
    for (const { actor } of lines) expect(actor.name).toMatch(/^\S+ \(pid \d+\)$/);
    expect(JSON.stringify(lines)).not.toMatch(/never-to-be|unseen/);
  });

  test('of five that change at once, each is on record once', async () => {
    const sandbox = await sandboxForTest();
    const names = Array.from({ length: 5 }, (_, index) => `at once ${index}`);
    const ran = await Promise.all(
      names.map((name) => spawnCli(sandbox, ['webhook', 'add', 'github', '--name', name]).ended),
    );
    expect(ran.map(({ code, stderr }) => [code, code === 0 ? '' : stderr])).toEqual(names.map(() => [0, '']));
    expect(
      audit(sandbox)
        .map(({ details }) => details.webhook)
        .sort(),
    ).toEqual(names);
  });

  test('what fails leaves no line', async () => {
    const sandbox = await sandboxForTest();
    expect((await tell(sandbox, 'webhook', 'add', 'github', '--name', 'one')).code).toBe(0);
    expect((await tell(sandbox, 'webhook', 'add', 'github', '--name', 'ONE')).code).not.toBe(0);
    expect((await tell(sandbox, 'webhook', 'disable', 'nobody')).code).toBe(4);
    expect(told(audit(sandbox))).toEqual(['cli webhook.add']);
  });
});

test('audit: each reload and each refused one has a line', async () => {
  const sandbox = await sandboxForTest();
  await tellJson<Made>(sandbox, 'webhook', 'add', 'github', '--name', 'edited');
  await serverForTest(sandbox);
  const edit = (from: string, to: string) =>
    writeFileSync(database(sandbox), readFileSync(database(sandbox), 'utf8').replace(from, to));
  edit('"edited"', '"renamed"');
  const line = await eventually('the edit', () =>
    audit(sandbox).find(({ what }) => what === 'webhook.reload'),
  );
  expect(line).toMatchObject({
    actor: { kind: 'server', name: 'hookctl serve' },
    target: 'webhooks.json',
    details: { added: [], changed: ['renamed'], enabled: [], disabled: [], removed: [] },
  });
  expect(line.revision).toMatch(/./);
  edit('"schema_version"', '"schema_versions"');
  await eventually('the refusal', () => audit(sandbox).some(({ what }) => what === 'webhook.refused'));
});

test('audit: what goes through a server is on record once, by CLI, API and people who approve', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const body = { provider: 'github', name: 'by api', commands: [{ name: 'look' }] };
  const made = await expectJson<Made>(201, server, 'POST', '/api/webhooks', { body });
  const path = `/api/webhooks/${made.webhook_id}`;
  await expectJson(200, server, 'PUT', `${path}/commands/${made.commands[0]?.id}`, {
    body: { target_agent: 'x' },
  });
  expect((await tell(sandbox, 'webhook', 'disable', 'by api')).code).toBe(0);
  expect((await ask(server, 'DELETE', path)).status).toBe(204);

  const { id } = await signedPost(server.url, comment('hello', { association: 'NONE' }));
  await settled(sandbox, id);
  await expectJson(201, server, 'POST', `/api/deliveries/${id}/replay`, { body: {} });
  expect((await tell(sandbox, 'delivery', 'retry', id)).code).toBe(0);
  const task = await tellJson<{ id: string }>(sandbox, 'task', 'create', 'look', '--requires-approval');
  expect((await tell(sandbox, 'task', 'approve', task.id)).code).toBe(0);
  await expectJson(200, server, 'POST', `/api/tasks/${task.id}/cancel`, { body: {} });

  const all = await eventually('the reload after each change of a webhook', () => {
    const seen = audit(sandbox);
    return seen.filter(({ what }) => what === 'webhook.reload').length === 4 ? seen : null;
  });
  const lines = all.filter(({ what }) => what !== 'webhook.reload');
  expect(told(lines)).toEqual([
    'cli serve.start',
    'api webhook.add',
    'api command.edit',
    'cli webhook.disable',
    'api webhook.remove',
    'api delivery.replay',
    'cli delivery.retry',
    'cli task.create',
    'cli task.approve',
    'api task.cancel',
  ]);
  expect(lines[5]).toMatchObject({ actor: { name: 'management token' }, target: id });
  expect(lines[6]?.actor.name).toMatch(/\(pid \d+\)$/);
});

test('audit: an approval at the provider is recorded by name', async () => {
  const sandbox = await sandboxForTest({
    files: {
      'hooks/asks.ts': [
        "import { defineWebhook } from 'hookctl';",
        "export default defineWebhook({ name: 'asks', provider: 'github', secretEnv: 'GITHUB_WEBHOOK_SECRET',",
        "  commands: [{ name: 'analyze', requiresApproval: true }] });",
      ].join('\n'),
      'webhooks.yml': 'static: ./hooks/*.ts\n',
    },
  });
  const server = await serverForTest(sandbox);
  const post = async (text: string) => {
    const { id } = await signedPost(server.url, comment(text, { issue: 5 }), { path: '/webhooks/asks' });
    await settled(sandbox, id);
    return id;
  };
  await post('@agent analyze');
  const delivery = await post('@agent approve');
  const line = await eventually('the approval', () =>
    audit(sandbox).find(({ what }) => what === 'task.approve'),
  );
  expect(line).toMatchObject({ actor: { kind: 'sender' }, details: { delivery } });
  expect(line.actor.name).toMatch(/^github:\S+$/);
  expect(line.target).toMatch(/^task-/);
});

describe('audit lines', () => {
  test('they can be neither changed nor deleted, not even by SQL', async () => {
    const sandbox = await sandboxForTest();
    await tell(sandbox, 'webhook', 'add', 'github', '--name', 'kept');
    const db = new DatabaseSync(join(sandbox.dataFolder, 'hookctl.db'));
    try {
      for (const sql of [
        "update audit set actor = 'nobody'",
        'delete from audit',
        'delete from audit where id = 1',
      ]) {
        expect(() => db.exec(sql)).toThrow('the audit is append-only');
      }
    } finally {
      db.close();
    }
    expect(audit(sandbox)).toHaveLength(1);
  });

  test('they are listed by CLI and API: newest first, filtered, in pages', async () => {
    const sandbox = await sandboxForTest();
    const list = (...args: readonly string[]) =>
      tellJson<readonly AuditView[]>(sandbox, 'audit', 'list', ...args);
    expect((await tell(sandbox, 'audit', 'list')).stderr).toContain('No lines of the audit');
    for (const name of ['a', 'b']) await tell(sandbox, 'webhook', 'add', 'github', '--name', name);
    await tell(sandbox, 'webhook', 'disable', 'b');

    expect((await list()).map(({ what }) => what)).toEqual(['webhook.disable', 'webhook.add', 'webhook.add']);
    expect((await list('--what', 'webhook.add')).map(({ id }) => id)).toEqual([2, 1]);
    expect(await list('--what', 'webhook', '--limit', '1', '--before', '3')).toMatchObject([{ id: 2 }]);
    expect((await tell(sandbox, 'audit', 'list', '--what', 'web')).code).toBe(4);
    expect(await list('--since', '2999-01-01')).toEqual([]);
    expect(await list('--since', '1h')).toHaveLength(3);
    expect((await tell(sandbox, 'audit', 'list', '--since', 'lunch')).code).toBe(2);
    expect((await tell(sandbox, 'audit', 'list')).stdout).toMatch(
      /^3 .* webhook\.disable +wh-\S+ +webhook=b$/m,
    );

    const server = await serverForTest(sandbox);
    type Page = { items: AuditView[]; next_cursor: string | null };
    const page = await expectJson<Page>(200, server, 'GET', '/api/audit?what=webhook&limit=2');
    expect(page.items.map(({ id }) => id)).toEqual([3, 2]);
    const rest = await expectJson<Page>(
      200,
      server,
      'GET',
      `/api/audit?what=webhook&cursor=${page.next_cursor}`,
    );
    expect(rest).toMatchObject({ items: [{ id: 1 }], next_cursor: null });
    expect((await ask(server, 'GET', '/api/audit?since=lunch')).status).toBe(400);
    expect((await ask(server, 'POST', '/api/audit', { body: {} })).status).toBe(405);
  });
});
