import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { settled, startServe } from '../support/server.ts';

const configuration = (more = '') => `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Look at it' }
      - { name: fix, requiresApproval: true }
${more}`;

interface Trial {
  readonly compared: number;
  readonly differing: number;
  readonly differences: readonly Readonly<Record<string, unknown>>[];
}

let sandbox: Sandbox;
let dynamicId: string;
const posted: string[] = [];

async function trial(...args: readonly string[]): Promise<Trial> {
  const { code, stdout, stderr } = await tell(sandbox, 'webhook', 'try', ...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Trial;
}

beforeAll(async () => {
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': configuration() } });
  const server = await startServe(sandbox);
  for (const text of ['@agent analyze', '@agent fix', 'no command', '@agent analyze', '@agent review']) {
    const { id } = await signedPost(server.url, comment(text, { issue: posted.length + 1 }));
    posted.push(id);
    await settled(sandbox, id);
  }
  const added = await tell(sandbox, 'webhook', 'add', 'github', '--name', 'mine', '--json');
  ({ webhook_id: dynamicId } = JSON.parse(added.stdout) as { webhook_id: string });
  await tell(sandbox, 'webhook', 'command', 'add', 'mine', '--trigger', 'issues.opened');
  await tell(sandbox, 'trigger', 'mine', 'issues.opened');
  await server.stop();
});

test('the present configuration decides as it did then', async () => {
  expect(await trial('github')).toMatchObject({ compared: 5, differing: 0, differences: [] });
  await sandbox.write('webhooks.yml', configuration().replace('name: fix', 'name: review'));
  const { differences } = await trial('github');
  await sandbox.write('webhooks.yml', configuration());
  expect(differences.map((each) => [each.delivery_id, each.command, each.before, each.after])).toEqual([
    [posted[1], 'fix', 'fires', 'none'],
    [posted[1], 'analyze', 'none', 'fires'],
    [posted[4], 'analyze', 'fires', 'no'],
    [posted[4], 'review', 'none', 'waits'],
  ]);
});

test('another webhooks.yml is compared with the present one: what fires, what waits, what a command does', async () => {
  const changed = configuration()
    .replace("'Look at it'", "'Look at it again'")
    .replace('requiresApproval: true', 'requiresApproval: false');
  await sandbox.write('other.yml', changed);
  const { differences } = await trial('github', '--with', 'other.yml');
  expect(differences.map((each) => [each.delivery_id, each.before, each.after, each.changed])).toEqual([
    [posted[0], 'fires', 'fires', ['template']],
    [posted[1], 'waits', 'fires', []],
    [posted[3], 'fires', 'fires', ['template']],
    [posted[4], 'fires', 'fires', ['template']],
  ]);
  const told = await tell(sandbox, 'webhook', 'try', 'github', '--with', 'other.yml');
  expect(told.stdout).toContain('5 deliveries of github: 4 would differ');
  expect(told.stdout).toContain('other template');
});

test('fields of a dynamic webhook, or an export with a change, are tried and not written', async () => {
  const db = join(sandbox.dataFolder, 'webhooks.json');
  const before = readFileSync(db, 'utf8');
  const { stdout: exported } = await tell(sandbox, 'webhook', 'export', 'mine', '--format', 'yaml');
  await sandbox.write('export.yml', exported.replace('issues.opened', 'issues.closed'));
  expect(await trial('mine', '--with', 'export.yml')).toMatchObject({
    compared: 1,
    differences: [{ before: 'fires', after: 'no' }],
  });
  await sandbox.write('fields.json', '{"enabled":true,"commands":[]}');
  expect(await trial(dynamicId, '--with', 'fields.json')).toMatchObject({
    differences: [{ before: 'fires', after: 'none' }],
  });
  expect(readFileSync(db, 'utf8')).toBe(before);
});

test('a file that is missing, wrong or about another webhook is told; nothing stored is no error', async () => {
  const tried = (...args: readonly string[]) => tell(sandbox, 'webhook', 'try', ...args);
  expect(await tried('github', '--with', 'nothing.yml')).toMatchObject({ code: 2 });
  await sandbox.write('wrong.json', '{"comands":[]}');
  const wrong = await tried('mine', '--with', 'wrong.json');
  expect(wrong).toMatchObject({ code: 3 });
  expect(wrong.stderr).toContain('Did you mean commands?');
  await sandbox.write('wrong.yml', 'webhooks: { github: { commands: [{ name: a b }] } }');
  expect(await tried('github', '--with', 'wrong.yml')).toMatchObject({ code: 3 });
  await sandbox.write('others.json', '{"webhooks":[{"webhook_id":"wh-other"}]}');
  expect((await tried('mine', '--with', 'others.json')).stderr).toContain(`has no webhook ${dynamicId}`);
  expect(await tried('nix')).toMatchObject({ code: 4 });
  expect((await tried('jira')).stdout).toContain('0 deliveries of jira');
});
