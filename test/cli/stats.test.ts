import { beforeAll, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { expectJson } from '../support/management.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { type Server, serverForFile, settled } from '../support/server.ts';

const YAML = `
webhooks:
  github:
    commands: [{ name: analyze, template: Look }]
    variants:
      - { name: a }
      - { name: next, mode: shadow, commands: [{ name: review }] }
`;

let sandbox: Sandbox;
let server: Server;

beforeAll(async () => {
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': YAML } });
  server = await serverForFile(sandbox);
  for (const issue of [1, 2, 3]) {
    const { id } = await signedPost(server.url, comment('@agent analyze', { issue }));
    await settled(sandbox, id);
  }
});

const since = () => new URLSearchParams({ since: new Date(Date.now() - 3_600_000).toISOString() });

test('webhook compare prints variants and differences, and the API gives the same', async () => {
  const { code, stdout } = await tell(sandbox, 'webhook', 'compare', 'github', '--since', '1h');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^a\s+3\s+3\s+3\s+0\s+0/m);
  expect(stdout).toContain('in shadow, next decided about 3 deliveries: 3 would differ');
  const printed = await tellJson<Record<string, unknown>>(sandbox, 'webhook', 'compare', 'github', '--json');
  const given = await expectJson(200, server, 'GET', `/api/webhooks/github/compare?${since()}`);
  expect({ ...given, since: printed.since }).toEqual(printed);
  const idle = await tell(sandbox, 'webhook', 'compare', 'jira');
  expect([idle.code, idle.stderr]).toEqual([
    0,
    expect.stringContaining('give it `variants` or `mode: shadow`'),
  ]);
  expect((await tell(sandbox, 'webhook', 'compare', 'nix')).code).toBe(4);
});

test('stats prints groups, and the API gives the same', async () => {
  const { stdout } = await tell(sandbox, 'stats', '--since', '1h', '--by', 'command');
  expect(stdout).toMatch(/^github\/analyze\s+3\s/m);
  const printed = await tellJson<{ rows: readonly object[] }>(sandbox, 'stats', '--by', 'variant', '--json');
  expect(printed.rows).toMatchObject([{ name: 'github/a', deliveries: 3, tasks: 3, completed: 0 }]);
  const given = await expectJson(200, server, 'GET', `/api/stats?${since()}&by=variant`);
  expect(given).toMatchObject({ by: 'variant', rows: [{ name: 'github/a', deliveries: 3 }] });
  const over = await tellJson<{ rows: readonly object[] }>(sandbox, 'stats', '--every', '1h', '--json');
  expect(over.rows.length).toBeGreaterThan(0);
  expect((await tell(sandbox, 'stats', '--every', 'often')).code).toBe(2);
  expect((await tell(sandbox, 'stats', '--every', '1s')).code).toBe(2);
  const none = await tell(sandbox, 'stats', '--webhook', 'nix');
  expect(none.stderr).toContain('--webhook nix');
  expect(none.stderr).toContain('Samples of `hookctl trigger` do not count.');
});
