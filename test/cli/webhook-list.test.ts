import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, spawnCli } from '../support/cli.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { startServe } from '../support/server.ts';

/** Tells on stderr which packages were read. */
const LOADED = `import { registerHooks } from 'node:module';
const packages = new Set();
registerHooks({ load(url, context, next) {
  packages.add(/node_modules\\/(?!.*node_modules\\/)((@[^/]+\\/)?[^/]+)/.exec(url)?.[1]);
  return next(url, context);
} });
process.on('exit', () => console.error('packages: ' + [...packages].join(' ')));`;

const NAMES = `export const title = 'from-code';`;
const MODULE = `import { defineWebhook } from 'hookctl';
import { title } from '../names.ts';
export default defineWebhook({ name: title, provider: 'github', endpoint: '/webhooks/own', secretEnv: 'OWN',
  enabled: process.env.QUIET === undefined, commands: [{ name: 'go', template: 'go' }] });`;

describe('webhook list', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    const files = {
      'webhooks.yml': 'webhooks: { jira: { enabled: false } }\n',
      'names.ts': NAMES,
      'webhooks/own.ts': MODULE,
    };
    sandbox = await sandboxForFile({ files });
    const server = await startServe(sandbox);
    await cli(sandbox, 'trigger', 'github', 'issue_comment.created');
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  async function listed(env: Readonly<Record<string, string>> = {}) {
    const changed = { ...sandbox, env: { ...sandbox.env, ...env } };
    const { stdout, stderr, code } = await spawnCli(
      changed,
      ['webhook', 'list'],
      ['--import', `data:text/javascript,${encodeURIComponent(LOADED)}`],
    ).ended;
    expect(code, stderr).toBe(0);
    const rows = stdout.trim().split('\n').slice(1);
    return {
      isQuick: !/zod|handlebars|undici/.test(stderr),
      stateOf: (name: string) =>
        rows.map((row) => row.split(/\s{2,}/)).find(([first]) => first === name)?.[3],
      text: stdout,
    };
  }

  test('loads no schema, template or SQL library', async () => {
    const { isQuick, stateOf, text } = await listed();
    expect(isQuick).toBe(true);
    expect(text).toMatch(/^github +github +built-in +enabled +\/webhooks\/github +\S+ \S+ +dlv-\w+$/m);
    expect(text).toMatch(/^from-code +github +static +no secret +\/webhooks\/own +- +-$/m);
    expect(stateOf('jira')).toBe('disabled');
  });

  test('shows dynamic webhooks at once, as quickly, and ignores the caches of former versions', async () => {
    await cli(sandbox, 'webhook', 'add', 'github', '--name', 'triage');
    for (const cache of ['listing.json', 'webhooks.checked.json']) {
      await writeFile(join(sandbox.dataFolder, cache), '{"webhooks": [], "revision": "x"}');
    }
    expect(await listed()).toMatchObject({ isQuick: true });
    expect((await listed()).stateOf('triage')).toBe('enabled');
    await cli(sandbox, 'webhook', 'disable', 'triage');
    expect((await listed()).stateOf('triage')).toBe('disabled');
  });

  test('F2: reads variables and webhooks.yml anew, and modules as the last start left them', async () => {
    expect((await listed({ OWN: 'secret' })).stateOf('from-code')).toBe('enabled');
    expect((await listed({ QUIET: '1' })).stateOf('from-code')).toBe('no secret');
    expect((await listed({ GITHUB_WEBHOOK_SECRET: '' })).stateOf('github')).toBe('no secret');
    await sandbox.write('webhooks.yml', '{}\n');
    expect((await listed()).stateOf('jira')).toBe('enabled');
    await sandbox.write('names.ts', NAMES.replace('from-code', 'renamed'));
    expect((await listed()).stateOf('from-code')).toBe('no secret');
    await sandbox.write('webhooks/second.ts', MODULE.replace('title,', "'second',").replace('/own', '/two'));
    expect((await listed()).stateOf('webhooks/second.ts')).toBe('not loaded');
  });

  test('says what is wrong with a db that was edited by hand, every time', async () => {
    await writeFile(join(sandbox.dataFolder, 'webhooks.json'), '{"schema_version": 1, "webhooks": [{}]}');
    const { stderr, stdout } = await cli(sandbox, 'webhook', 'list');
    expect(stderr).toContain('webhooks.json:1:');
    expect(stdout).toContain('triage');
    expect((await cli(sandbox, 'webhook', 'list')).stderr).toBe(stderr);
  });
});
