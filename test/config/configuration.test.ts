import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actions } from '../../src/actions/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { resolveWebhook } from '../../src/config/resolve.ts';
import { definitionSchema } from '../../src/config/schema.ts';
import type { TemplateContext, WebhookEvent } from '../../src/types.ts';
import { providers } from '../support/providers.ts';
import { folderWith, load } from './support.ts';

const EVENT: WebhookEvent = {
  type: 'issues.opened',
  externalId: 'github:o/r#1',
  sender: null,
  text: null,
  author: null,
  textOrigin: 'created',
  title: 'Login fails',
  url: 'https://github.com/o/r/issues/1',
  payload: {},
};
const CONTEXT: TemplateContext = { event: EVENT, argument: 'find out why', authorOf: () => null };

test('without any project the built-in webhooks are in force', async () => {
  const located = { projectFile: null, dataFolder: join(folderWith(), '.hookctl') };
  const options = { located, env: {}, actions, createMissing: false };
  const { snapshot } = await loadConfiguration(options);
  expect(snapshot.byEndpoint.get('/webhooks/github')).toBe(snapshot.byName.get('github'));
  expect(snapshot.byName.get('github')).toMatchObject({
    origin: { kind: 'built-in' },
    enabled: true,
    secretSource: 'not generated yet',
    defaultCommand: 'analyze',
    allow: { associations: ['OWNER', 'MEMBER', 'COLLABORATOR'], users: [], apps: [] },
  });
});

test('webhooks.yml changes what it names and leaves the rest of a built-in webhook as it is', async () => {
  const yaml = 'webhooks: { github: { enabled: false, allow: { users: [42] }, commandPrefix: "@bot" } }\n';
  const { snapshot } = await load(folderWith({ 'webhooks.yml': yaml }));
  const github = snapshot.byName.get('github');
  expect(github).toMatchObject({
    enabled: false,
    commandPrefix: '@bot',
    allow: { associations: ['OWNER', 'MEMBER', 'COLLABORATOR'], users: ['42'] },
  });
  expect(github?.commands.map(({ id }) => id)).toEqual(['analyze', 'plan', 'fix', 'review']);
});

test('the webhooks in force cannot be changed, and their templates still render', async () => {
  const { snapshot } = await load(folderWith({ 'webhooks.yml': '' }));
  const [github] = snapshot.webhooks;
  const [analyze] = github?.commands ?? [];
  expect([snapshot.webhooks, github, github?.allow, analyze].every(Object.isFrozen)).toBe(true);
  expect((await analyze?.template.compiled())?.plain(CONTEXT)).toContain('Analyze: Login fails');
});

test('the commands of every built-in webhook compile, which a start does not look at', async () => {
  for (const { name: provider, webhook } of providers) {
    if (webhook === null) continue;
    const definition = definitionSchema.parse({ ...webhook, provider });
    expect(await resolveWebhook(definition, { kind: 'built-in' }, { providers, actions })).toMatchObject({
      ok: true,
    });
  }
});

test('a definition with only name and provider gets every default', async () => {
  const commands = [{ name: 'go' }, { trigger: 'issues.*' }, { trigger: '*', priority: 5 }];
  const definition = definitionSchema.parse({ name: 'own', provider: 'github', commands });
  const resolution = await resolveWebhook(definition, { kind: 'built-in' }, { providers, actions });
  if (!resolution.ok) throw new Error('expected a webhook');
  const { commands: resolved, ...webhook } = resolution.webhook;
  expect(webhook).toEqual({
    name: 'own',
    owner: 'operator',
    labels: [],
    mode: 'live',
    variants: [],
    allowUnverifiable: false,
    trustFetched: false,
    providerName: 'github',
    provider: providers[0],
    endpoint: '/webhooks/own',
    origin: { kind: 'built-in' },
    enabled: true,
    commandPrefix: '@agent',
    requirePrefix: true,
    targetAgent: 'brain',
    defaultCommand: null,
    events: [],
    allow: { associations: ['OWNER', 'MEMBER', 'COLLABORATOR'], users: [], apps: [] },
    syncToClaudeTasks: true,
    options: {},
  });
  const common = { action: 'create_task', targetAgent: 'brain', requiresApproval: false, options: {} };
  expect(resolved).toMatchObject([
    { ...common, kind: 'text', id: 'go', aliases: [] },
    { ...common, kind: 'trigger', id: 'trigger:1', trigger: 'issues.*', priority: 100 },
    { ...common, kind: 'trigger', id: 'trigger:2', trigger: '*', priority: 5 },
  ]);
  const templates = await Promise.all(resolved.map(({ template }) => template.compiled()));
  expect(templates.map(({ plain }) => plain(CONTEXT))).toEqual([
    'Login fails\n\nfind out why',
    'issues.opened: Login fails\n\nhttps://github.com/o/r/issues/1',
    'issues.opened: Login fails\n\nhttps://github.com/o/r/issues/1',
  ]);
});

test('the default command may be named by an alias, in any case', async () => {
  const commands = [{ name: 'analyze', aliases: ['Look'] }];
  const definition = definitionSchema.parse({
    name: 'own',
    provider: 'github',
    commands,
    defaultCommand: 'look',
  });
  const resolution = await resolveWebhook(definition, { kind: 'built-in' }, { providers, actions });
  expect(resolution).toMatchObject({ ok: true, webhook: { defaultCommand: 'analyze' } });
});
