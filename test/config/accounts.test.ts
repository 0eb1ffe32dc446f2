import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { secretsIn } from '../../src/config/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { createRedactor } from '../../src/lib/redact/redact.ts';
import { folderWith, load } from './support.ts';

test('tokens come from the usual variables; a missing one is told by name', async () => {
  const { accounts } = await load(folderWith({ 'webhooks.yml': '' }), {
    env: { GITHUB_TOKEN: 't1', JIRA_API_TOKEN: 't2' },
  });
  expect(accounts.byProvider.get('github')).toMatchObject({ baseUrl: 'https://api.github.com', user: null });
  expect(accounts.byProvider.get('github')?.token.reveal()).toBe('t1');
  expect(Object.fromEntries(accounts.missing)).toEqual({
    jira: 'no JIRA_BASE_URL',
    slack: 'no SLACK_BOT_TOKEN',
    sentry: 'no SENTRY_AUTH_TOKEN',
    shopify: 'no SHOPIFY_ACCESS_TOKEN',
    'slack-config': 'no SLACK_CONFIG_TOKEN',
    gitlab: 'no GITLAB_TOKEN',
    gitea: 'no GITEA_TOKEN',
    bitbucket: 'no BITBUCKET_TOKEN',
    linear: 'no LINEAR_API_KEY',
    pagerduty: 'no PAGERDUTY_TOKEN',
    stripe: 'no STRIPE_API_KEY',
    teams: 'no TEAMS_WEBHOOK_URL',
    telegram: 'no TELEGRAM_BOT_TOKEN',
    zendesk: 'no ZENDESK_API_TOKEN',
  });
  // Its requests bring along what answers them.
  expect(accounts.byProvider.get('discord')?.baseUrl).toBe('https://discord.com/api/v10');
});

test('Jira has an e-mail address and a site of its own', async () => {
  const env = {
    JIRA_API_TOKEN: 't',
    JIRA_EMAIL: 'a@example.com',
    JIRA_BASE_URL: 'https://acme.atlassian.net/',
  };
  const { accounts } = await load(folderWith({ 'webhooks.yml': '' }), { env });
  expect(accounts.byProvider.get('jira')).toMatchObject({
    baseUrl: 'https://acme.atlassian.net',
    user: 'a@example.com',
  });
});

test('webhooks.yml names another variable, server and a private network', async () => {
  const yaml =
    'credentials: { github: { tokenEnv: GHE_TOKEN, baseUrl: "https://ghe.example.com/api/v3/", privateNetwork: true } }';
  const { accounts } = await load(folderWith({ 'webhooks.yml': yaml }), {
    env: { GHE_TOKEN: 't', GITHUB_TOKEN: 'no' },
  });
  const account = accounts.byProvider.get('github');
  expect(account).toMatchObject({ baseUrl: 'https://ghe.example.com/api/v3', privateNetwork: true });
  expect(account?.token.reveal()).toBe('t');
});

test('a token file is read, and refused where others may read it', async () => {
  const yaml = 'credentials: { github: { tokenFile: ./token } }';
  const folder = folderWith({ 'webhooks.yml': yaml, token: 'from-file\n' });
  chmodSync(join(folder, 'token'), 0o644);
  await expect(load(folder)).rejects.toMatchObject({
    problems: [{ field: 'credentials.github.tokenFile', fix: `Type: chmod 600 ${join(folder, 'token')}` }],
  });
  chmodSync(join(folder, 'token'), 0o600);
  const { accounts } = await load(folder);
  expect(accounts.byProvider.get('github')?.token.reveal()).toBe('from-file');
  expect(inspect(accounts, { depth: 9 }) + JSON.stringify([...accounts.byProvider])).not.toContain(
    'from-file',
  );
});

test.each([
  ['an empty file', { token: '' }],
  ['no file', {}],
])('%s is a problem with its place', async (_, files) => {
  const yaml = 'credentials: { github: { tokenFile: ./token } }';
  const folder = folderWith({ 'webhooks.yml': yaml, ...files });
  if ('token' in files) chmodSync(join(folder, 'token'), 0o600);
  await expect(load(folder)).rejects.toBeInstanceOf(ConfigError);
});

test('a provider that is not known is named, with the one that was meant', async () => {
  const folder = folderWith({ 'webhooks.yml': 'credentials: { gihub: { tokenEnv: T } }' });
  await expect(load(folder)).rejects.toMatchObject({
    problems: [{ field: 'credentials.gihub', fix: 'Did you mean github?' }],
  });
});

const TEAMS_URL =
  'https://prod-12.westeurope.logic.azure.com/workflows/w1/triggers/manual/paths/invoke?sv=1.0&sig=aB3-dE6_gH9kL2mN5pQ8';

test('Teams is posted to by a URL alone, which is the secret; its parts are taken out of texts, too', async () => {
  const yaml = 'credentials: { teams: { urlEnv: MY_CHANNEL } }';
  const configuration = await load(folderWith({ 'webhooks.yml': yaml }), {
    env: { MY_CHANNEL: TEAMS_URL, TEAMS_WEBHOOK_URL: 'https://no.example.com/' },
  });
  const { accounts, snapshot } = configuration;
  const account = accounts.byProvider.get('teams');
  expect(account).toMatchObject({
    baseUrl: 'https://prod-12.westeurope.logic.azure.com',
    privateNetwork: false,
  });
  expect(account?.token.reveal()).toBe(TEAMS_URL);
  expect(inspect(accounts, { depth: 9 }) + JSON.stringify([...accounts.byProvider])).not.toContain('sig=');
  const redactor = createRedactor({});
  redactor.learn('configuration', () => secretsIn(snapshot, configuration));
  const { pathname, search } = new URL(TEAMS_URL);
  for (const part of [TEAMS_URL, pathname + search, 'aB3-dE6_gH9kL2mN5pQ8'])
    expect(redactor.redact(`<${part}>`)).toMatch(/^<[^/]*redacted[^/]*>$/);
});

test.each(['http://prod-12.westeurope.logic.azure.com/workflows/w1', 'https://a:b@example.com/', 'hooks'])(
  'Teams is not posted to at %s',
  async (url) => {
    const { accounts } = await load(folderWith({ 'webhooks.yml': '' }), { env: { TEAMS_WEBHOOK_URL: url } });
    expect(accounts.byProvider.has('teams')).toBe(false);
    expect(accounts.missing.get('teams')).toBe('TEAMS_WEBHOOK_URL is no URL that starts with https://');
  },
);

test('a URL in a file is read as a token is; fields that do not belong to the sender are named', async () => {
  const folder = folderWith({ 'webhooks.yml': 'credentials: { teams: { urlFile: ./url } }', url: TEAMS_URL });
  chmodSync(join(folder, 'url'), 0o644);
  await expect(load(folder)).rejects.toMatchObject({ problems: [{ field: 'credentials.teams.urlFile' }] });
  chmodSync(join(folder, 'url'), 0o600);
  expect((await load(folder)).accounts.byProvider.get('teams')?.token.reveal()).toBe(TEAMS_URL);
  for (const [yaml, field, fix] of [
    ['teams: { tokenEnv: T }', 'credentials.teams.tokenEnv', 'Write urlEnv or urlFile.'],
    ['github: { urlEnv: U }', 'credentials.github.urlEnv', 'Write tokenEnv or tokenFile'],
  ] as const) {
    const wrong = folderWith({ 'webhooks.yml': `credentials: { ${yaml} }` });
    await expect(load(wrong)).rejects.toMatchObject({
      problems: [{ field, fix: expect.stringContaining(fix) }],
    });
  }
});
