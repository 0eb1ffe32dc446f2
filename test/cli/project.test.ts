import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryView, TaskView } from '../../src/views.ts';
import { cli, cliJson } from '../support/cli.ts';
import { comment } from '../support/github.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, startServe } from '../support/server.ts';

interface Settled {
  readonly delivery: DeliveryView;
  readonly tasks: readonly TaskView[];
}

const TRIAGE = `
import { defineWebhook } from 'hookctl';
export default defineWebhook({
  name: 'triage',
  provider: 'github',
  commands: [
    { trigger: 'issues.opened', conditions: { 'issue.labels.name': 'bug' }, template: 'Triage {{issue.title}}' },
  ],
});
`;

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile({
    files: { 'webhooks.yml': 'static: ./webhooks/*.ts\n', 'webhooks/triage.ts': TRIAGE },
  });
  server = await serverForFile(sandbox);
});

const trigger = (...args: readonly string[]) => cli(sandbox, 'trigger', ...args);
const triggerJson = (...args: readonly string[]) => cliJson<Settled>(sandbox, 'trigger', ...args);

describe('trigger', () => {
  test('every sample of its list is accepted', async () => {
    const { stdout } = await trigger('github', '--list');
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => line.replace('github ', ''));
    expect(types).toContain('issue_comment.created');
    expect(types).toContain('ping');
    for (const type of types) {
      const { code, stderr } = await trigger('github', type);
      expect([type, code, stderr]).toEqual([type, 0, expect.any(String)]);
    }
  });

  test('fresh ids each time: no duplicates', async () => {
    const ask = ['github', 'issue_comment.created', '--text', '@agent analyze'];
    const [one, two] = [await triggerJson(...ask), await triggerJson(...ask)];
    expect([one.delivery.status, two.delivery.status]).toEqual(['processed', 'processed']);
  });

  test('--text is what the person writes, --set changes the payload', async () => {
    const set = [
      '--set',
      'issue.title=Crash on start',
      '--set',
      'issue.number=77',
      '--set',
      'repository.full_name=A/b',
    ];
    const { tasks } = await triggerJson(
      'github',
      'issue_comment.created',
      '--text',
      '@agent plan it',
      ...set,
    );
    expect(tasks[0]).toMatchObject({
      command: 'plan',
      title: 'Plan: Crash on start',
      external_id: 'github:a/b#77',
    });
  });

  test('--payload takes a file, --webhook another endpoint', async () => {
    await sandbox.write('payload.json', JSON.stringify(comment('@agent review it')));
    const { tasks } = await triggerJson('github', 'issue_comment.created', '--payload', 'payload.json');
    expect(tasks[0]).toMatchObject({ command: 'review', webhook: 'github' });

    const bug = await triggerJson('github', 'issues.opened', '--webhook', 'triage');
    expect(bug.tasks[0]).toMatchObject({ webhook: 'triage', command: 'trigger:1' });
  });

  test('takes the name of a webhook', async () => {
    const { delivery } = await triggerJson('triage', 'issues.opened');
    expect(delivery).toMatchObject({ webhook: 'triage', status: 'processed' });
  });

  test('--text for an event without text: exits with 2 and names events that have one', async () => {
    const { code, stderr } = await trigger('github', 'push', '--text', '@agent analyze');
    expect(code).toBe(2);
    expect(stderr).toContain('push of GitHub brings no text');
    expect(stderr).toMatch(/These bring one: .*issue_comment\.created/);
  });

  test.each([
    [[], 2, 'name a provider'],
    [['githab'], 2, 'there is no provider or webhook githab\nDid you mean github?'],
    [['github', 'nothing'], 2, 'there is no sample nothing'],
    [['github', 'issues.opened', '--set', 'title'], 2, 'has no `=`'],
    [['github', 'issues.opened', '--payload', 'nothere.json'], 2, 'there is no file nothere.json'],
    [['github', 'issues.opened', '--webhook', 'nobody'], 4, 'nobody'],
  ])('%j: exit %d', async (args, code, message) => {
    const ran = await trigger(...args);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toContain(message);
  });

  test('without a server: names the folder and the next command', async () => {
    const alone = await sandboxForTest();
    const { code, stderr } = await cli(alone, 'trigger', 'github');
    expect(code).toBe(1);
    expect(stderr).toContain(alone.dataFolder);
    expect(stderr).toContain('hookctl serve');
  });
});

describe('status', () => {
  test('of a running server: version, folder, webhooks, queue', async () => {
    await triggerJson('github', 'issue_comment.created');
    const view = await cliJson<{ webhooks: { name: string }[] }>(sandbox, 'status');
    expect(view).toMatchObject({
      version: '0.1.0',
      data_folder: sandbox.dataFolder,
      server: { pid: server.pid },
    });
    expect(view.webhooks.find(({ name }) => name === 'github')).toMatchObject({
      endpoint: '/webhooks/github',
      last_delivery_id: readStore(sandbox, (reader) => reader.deliveries({ webhook: 'github' })[0]?.id),
    });
    const { stdout } = await cli(sandbox, 'status');
    expect(stdout).toMatch(new RegExp(`^server +pid ${server.pid}`, 'm'));
    expect(stdout).toMatch(/^queue +\d+ waiting/m);
    expect(stdout).toContain('/webhooks/triage');
  });

  test('without a server, on an empty and on a used folder', async () => {
    const alone = await sandboxForTest();
    const before = await cli(alone, 'status');
    expect(before.code).toBe(0);
    expect(before.stdout).toMatch(/^server +not running; start it with `hookctl serve`/m);
    expect(existsSync(alone.dataFolder)).toBe(false);
    await (await startServe(alone)).stop();
    expect(await cliJson(alone, 'status')).toMatchObject({ server: null, data_folder: alone.dataFolder });
  });
});

describe('check', () => {
  test('--json of a valid and of an invalid project', async () => {
    expect(await cliJson(sandbox, 'check')).toMatchObject({ ok: true, problems: [] });
    const wrong = await sandboxForTest({
      files: { 'webhooks.yml': 'webhooks:\n  github:\n    commnads: []\n' },
    });
    const { code, stdout } = await cli(wrong, 'check', '--json');
    expect(code).toBe(3);
    const { ok, problems } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(problems).toEqual([expect.objectContaining({ line: 3, field: 'webhooks.github.commnads' })]);
    const served = await cli(wrong, 'serve', '--port', '0', '--management-port', '0');
    expect(served.code).toBe(3);
    expect(served.stderr).toContain('webhooks.yml:3');
  });
});

describe('init', () => {
  test('keeps present files when it runs again', async () => {
    const own = await sandboxForTest({ fixedDataFolder: false });
    const first = await cli(own, 'init');
    expect(first.stdout).toContain('wrote webhooks.yml');
    await own.write('webhooks.yml', '# mine\n');
    const second = await cli(own, 'init');
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('kept webhooks.yml') });
    expect(second.stdout).not.toContain('wrote webhooks.yml');
    expect(readFileSync(join(own.project, 'webhooks.yml'), 'utf8')).toBe('# mine\n');
  });

  test('offers to move the data of the home folder; --move-data moves it', async () => {
    const own = await sandboxForTest({ fixedDataFolder: false });
    await (await startServe(own)).stop();
    const home = join(own.home, '.hookctl/hookctl.db');
    expect(existsSync(home)).toBe(true);
    const told = await sandboxForTest({ fixedDataFolder: false, env: { HOME: own.home } });
    expect((await cli(told, 'init')).stderr).toContain('hookctl init --move-data');
    expect(existsSync(home)).toBe(true);

    expect((await cli(own, 'init', '--move-data')).stdout).toContain('moved');
    expect(existsSync(home)).toBe(false);
    expect(existsSync(join(own.project, '.hookctl/hookctl.db'))).toBe(true);
    await (await startServe(own)).stop();
  });
});

describe('every command', () => {
  test('has help with an example; an unknown option is a usage error', async () => {
    const { stdout, code } = await cli(sandbox);
    expect(code).toBe(0);
    for (const name of ['init', 'check', 'serve', 'status', 'trigger', 'replay', 'explain']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      const help = await cli(sandbox, name, '--help');
      expect([name, help.code, help.stderr]).toEqual([name, 0, '']);
      expect(help.stdout).toContain('Examples:');
    }
    const wrong = await cli(sandbox, 'serve', '--prot', '1');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--port');
    expect((await cli(sandbox, 'srve')).code).toBe(2);
  });
});
