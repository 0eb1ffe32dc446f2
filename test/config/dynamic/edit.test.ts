import { expect, test } from 'vitest';
import {
  addCommand,
  addWebhook,
  exportWebhooks,
  importWebhooks,
  removeCommand,
  removeWebhook,
  rotateSecret,
  setEnabled,
  updateCommand,
  updateWebhook,
} from '../../../src/config/dynamic/edit.ts';
import { folderWith } from '../support.ts';
import { copyOf, placeIn, problemsOf, refusal } from './support.ts';

const HOOK = { provider: 'github', name: 'My Custom Webhook', secret: 'my-secret' };
const OPENED = { trigger: 'issues.opened', target_agent: 'planning', template: 'New issue: {{issue.title}}' };

test('the example of the description becomes a webhook with an endpoint of its own', async () => {
  const { dynamic, configuration } = placeIn(folderWith());
  const added = await dynamic.edit(addWebhook(HOOK));
  const { webhook } = added.result;
  await dynamic.edit(addCommand(webhook.webhook_id, { ...OPENED, action: 'create_task' }));
  const { snapshot } = await configuration();
  const served = snapshot.byEndpoint.get(`/webhooks/github/${webhook.webhook_id}`);
  expect(served).toMatchObject({
    name: 'My Custom Webhook',
    origin: { kind: 'dynamic', webhookId: webhook.webhook_id },
    enabled: true,
    secretSource: 'in webhooks.json',
    allow: { associations: ['OWNER', 'MEMBER', 'COLLABORATOR'] },
    commands: [{ kind: 'trigger', trigger: 'issues.opened', targetAgent: 'planning', priority: 100 }],
  });
  expect(served?.commands[0]?.id).toMatch(/^cmd-/);
  expect(served?.secrets.map(({ value }) => value.reveal())).toEqual(['my-secret']);
  expect(added.result.generatedSecret).toBeNull();
});

test('without a secret one is generated, and shown this once', async () => {
  const { dynamic } = placeIn(folderWith());
  const { result } = await dynamic.edit(addWebhook({ provider: 'github', name: 'a' }));
  expect(result.generatedSecret).toMatch(/^[0-9a-f]{64}$/);
  expect(result.webhook.secrets).toEqual([{ value: result.generatedSecret }]);
});

test('a change names fields: absent ones stay, null takes one away', async () => {
  const { dynamic } = placeIn(folderWith());
  await dynamic.edit(addWebhook({ ...HOOK, command_prefix: '@bot', target_agent: 'planning' }));
  const { result } = await dynamic.edit(
    updateWebhook('my custom webhook', { target_agent: null, name: 'Renamed', secret: 'other' }),
  );
  expect(result.webhook).toMatchObject({
    name: 'Renamed',
    command_prefix: '@bot',
    secrets: [{ value: 'other' }],
  });
  expect(result.webhook).not.toHaveProperty('target_agent');
  expect(result.previous).toMatchObject({ name: 'My Custom Webhook', target_agent: 'planning' });
});

test.each(['webhook_id', 'provider', 'endpoint', 'created_at'])('%s cannot be changed', async (field) => {
  const { dynamic, text } = placeIn(folderWith());
  await dynamic.edit(addWebhook(HOOK));
  const before = text();
  const error = await refusal(dynamic.edit(updateWebhook(HOOK.name, { [field]: 'x' })));
  expect(error).toMatchObject({ code: 'immutable_field', exitCode: 2 });
  expect(text()).toBe(before);
});

test('names are unique over static and dynamic webhooks, in any case', async () => {
  const { dynamic } = placeIn(folderWith());
  await dynamic.edit(addWebhook(HOOK));
  for (const name of ['my custom WEBHOOK', 'GitHub']) {
    const error = await refusal(dynamic.edit(addWebhook({ ...HOOK, name })));
    expect(error).toMatchObject({ code: 'name_taken', exitCode: 1 });
  }
});

test('a static webhook cannot be changed, and the message says where it is written', async () => {
  const { dynamic } = placeIn(folderWith());
  const error = await refusal(dynamic.edit(setEnabled('github', false)));
  expect(error).toMatchObject({ code: 'static_webhook', exitCode: 1 });
  expect(error.fix).toContain('webhooks.yml');
  expect(await refusal(dynamic.edit(removeWebhook('nobody')))).toMatchObject({
    code: 'not_found',
    exitCode: 4,
  });
});

test('a rotated secret and the former ones verify until the overlap ends', async () => {
  const { dynamic, configuration } = placeIn(folderWith());
  await dynamic.edit(addWebhook(HOOK));
  const { result } = await dynamic.edit(rotateSecret(HOOK.name, { overlapMs: 60_000 }));
  const [fresh, former] = (await configuration()).snapshot.byName.get(HOOK.name)?.secrets ?? [];
  expect(fresh?.value.reveal()).toBe(result.generatedSecret);
  expect(fresh?.expiresAt).toBeNull();
  expect(former?.value.reveal()).toBe('my-secret');
  expect(Math.abs((former?.expiresAt ?? 0) - Date.now() - 60_000)).toBeLessThan(10_000);
  const at_once = await dynamic.edit(
    rotateSecret(HOOK.name, { overlapMs: 0, secret: { env: 'HOOK_SECRET' } }),
  );
  expect(at_once.result).toMatchObject({ retiring: [], webhook: { secrets: [{ env: 'HOOK_SECRET' }] } });
});

test('a secret whose variable is not set is named, and nothing is accepted', async () => {
  const { dynamic, configuration } = placeIn(folderWith());
  await dynamic.edit(addWebhook({ provider: 'github', name: 'a', secrets: [{ env: 'HOOK_SECRET' }] }));
  const { snapshot, notices } = await configuration();
  expect(snapshot.byName.get('a')).toMatchObject({ secrets: [], secretSource: 'HOOK_SECRET is not set' });
  expect(notices.join()).toContain('HOOK_SECRET is not set');
  const set = await configuration({ HOOK_SECRET: 'x' });
  expect(set.snapshot.byName.get('a')?.secrets.map(({ value }) => value.reveal())).toEqual(['x']);
});

test('commands are added, changed and removed by id, name or trigger', async () => {
  const { dynamic } = placeIn(folderWith());
  await dynamic.edit(addWebhook({ ...HOOK, commands: [{ name: 'analyze' }] }));
  const { result } = await dynamic.edit(addCommand(HOOK.name, OPENED));
  await dynamic.edit(updateCommand(HOOK.name, 'issues.opened', { priority: 5, target_agent: null }));
  await dynamic.edit(removeCommand(HOOK.name, 'Analyze'));
  const [webhook] = (await dynamic.read()).webhooks;
  expect(webhook?.commands).toEqual([
    { id: result.command.id, trigger: 'issues.opened', template: OPENED.template, priority: 5 },
  ]);
  await dynamic.edit(addCommand(HOOK.name, OPENED));
  const error = await refusal(dynamic.edit(removeCommand(HOOK.name, 'issues.opened')));
  expect(error.fix).toContain(result.command.id);
});

test('a mistake is named by webhook and field, and nothing is written', async () => {
  const { dynamic, text } = placeIn(folderWith());
  await dynamic.edit(addWebhook(HOOK));
  const before = text();
  expect(await problemsOf(dynamic.edit(addWebhook({ ...HOOK, enabeld: true })))).toEqual([
    { file: 'webhook add', field: 'enabeld', message: 'unknown field', fix: 'Did you mean enabled?' },
  ]);
  const change = {
    commands: [
      { trigger: '*', template: '{{#if' },
      { name: 'x', conditions: {} },
    ],
  };
  expect(await problemsOf(dynamic.edit(updateWebhook(HOOK.name, change)))).toMatchObject([
    { file: `webhook ${HOOK.name}`, field: 'commands.0.template' },
    { file: `webhook ${HOOK.name}`, field: 'commands.1.conditions' },
  ]);
  const deep = Array.from({ length: 90 }).reduce<object>((inner) => ({ inner }), {});
  expect(await problemsOf(dynamic.edit(updateWebhook(HOOK.name, { options: deep })))).toHaveLength(1);
  expect(text()).toBe(before);
});

test('an export can be imported elsewhere with the same URLs, and a second time to bring them up to date', async () => {
  const [here, there] = [placeIn(folderWith()), placeIn(folderWith())];
  const { result } = await here.dynamic.edit(addWebhook({ ...HOOK, commands: [OPENED] }));
  const bare = exportWebhooks((await here.dynamic.read()).webhooks, { withSecrets: false });
  expect(JSON.stringify(bare)).not.toContain('my-secret');
  const [added] = (await there.dynamic.edit(importWebhooks(bare))).result;
  expect(added).toMatchObject({ outcome: 'added', webhook: { endpoint: result.webhook.endpoint } });
  expect(added?.generatedSecret).toMatch(/^[0-9a-f]{64}$/);
  const whole = exportWebhooks((await here.dynamic.read()).webhooks, { withSecrets: true });
  const [updated] = (await there.dynamic.edit(importWebhooks(whole))).result;
  expect(updated).toMatchObject({ outcome: 'updated', generatedSecret: null });
  const { updated_at: _, ...same } = result.webhook;
  expect((await there.dynamic.read()).webhooks).toMatchObject([same]);
});

test('a copy of a built-in webhook has its commands and rules under an endpoint and secret of its own', async () => {
  const { dynamic, configuration } = placeIn(folderWith());
  const github = (await configuration()).snapshot.byName.get('github');
  if (github === undefined) throw new Error('there is no built-in github');
  const { result } = await dynamic.edit(copyOf(github, 'copy'));
  const copy = (await configuration()).snapshot.byName.get('copy');
  const shape = ({ commands }: typeof github) =>
    commands.map(({ id: _, template, ...rest }) => ({ ...rest, template: template.source }));
  expect(copy === undefined ? [] : shape(copy)).toEqual(shape(github));
  expect(copy).toMatchObject({ allow: github.allow, defaultCommand: github.defaultCommand });
  expect(copy?.endpoint).not.toBe(github.endpoint);
  expect(result.generatedSecret).not.toBeNull();
});
