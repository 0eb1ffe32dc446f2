import { expect, test } from 'vitest';
import { addWebhook } from '../../../src/config/dynamic/edit.ts';
import { exportTypescript } from '../../../src/config/dynamic/typescript.ts';
import { folderWith } from '../support.ts';
import { matchesInNode } from './match-support.ts';
import { copyOf, placeIn, record } from './support.ts';

const WEBHOOK = {
  provider: 'github',
  name: 'Triage & “more”',
  secrets: [{ env: 'TRIAGE_SECRET' }],
  command_prefix: '@bot',
  default_command: 'look',
  events: ['issue_comment.edited'],
  target_agent: 'planning',
  sync_to_claude_tasks: false,
  allow: { associations: ['OWNER', 'NONE'], users: [21031067] },
  commands: [
    {
      name: 'analyze',
      aliases: ['look'],
      template: "It's {{issue.title}}\n\t`\u0024{x}` \u2028 \\ {{@argument}}",
    },
    { trigger: 'issues.*', conditions: { 'issue.labels': 'bug' }, priority: 10 },
    { trigger: 'issues.opened', conditions: { 'issue.comments': { $gte: 0 } }, requires_approval: true },
    {
      trigger: 'pull_request.*',
      conditions: { $or: [{ 'pull_request.draft': true }, { number: { $lt: 3 } }] },
    },
    {
      trigger: '*',
      conditions: { 'sender.login': { $regex: '^code', $options: 'i' } },
      target_agent: 'other',
      priority: 1,
    },
  ],
};

test('an exported webhook that is loaded as static matches as before on 50 payloads, and so does its dynamic copy', async () => {
  const folder = folderWith({ 'webhooks.yml': '' });
  const place = placeIn(folder, `${folder}/webhooks.yml`);
  await place.dynamic.edit(addWebhook(WEBHOOK));
  const { webhooks } = await place.dynamic.read();
  const exported = exportTypescript(webhooks);
  const moved = folderWith({ 'webhooks.yml': '', 'webhooks/moved.ts': exported });

  const [before, after] = await matchesInNode([folder, WEBHOOK.name], [moved, 'triage-more']);
  expect(before?.payloads).toBeGreaterThanOrEqual(50);
  expect(before?.fired).toBeGreaterThan(20);
  expect(after).toEqual(before);

  const source = (await place.configuration()).snapshot.byName.get(WEBHOOK.name);
  if (source === undefined) throw new Error('the webhook is gone');
  await place.dynamic.edit(copyOf(source, 'back'));
  const [back] = await matchesInNode([folder, 'back']);
  expect(back?.matches).toEqual(before?.matches);
});

test('secrets are exported by the names of their variables, never by value', () => {
  const text = exportTypescript([record(1), record(2, { name: '7 of 9', secrets: [{ env: 'SEVEN' }] })]);
  expect(text).not.toContain('secret-of-1');
  expect(text).toContain("secretEnv: 'WEBHOOK_1_SECRET'");
  expect(text).toContain('// Set WEBHOOK_1_SECRET to the secret that the sender of webhook-1 uses');
  expect(text).toContain("secretEnv: 'SEVEN'");
});

test('an exported webhook gets a name that replaces no other', () => {
  const text = exportTypescript([record(1, { name: 'GitHub!' }), record(2, { name: 'github?' })], ['github']);
  expect(text.match(/name: '(github.*?)'/g)).toEqual(["name: 'github-2'", "name: 'github-3'"]);
});
