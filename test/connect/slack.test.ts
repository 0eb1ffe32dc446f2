import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect, disconnect } from '../../src/connect/operations.ts';
import { checkAll, repoint } from '../../src/connect/upkeep.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { type KeptHook, startLoopback } from '../support/hook-apis/loopback.ts';
import { manifestOf, SENDERS } from '../support/hook-apis/senders.ts';
import { connectContext, order, type TestConnect } from './support.ts';

async function workspace(changes: { readonly isSaved?: boolean; readonly token?: string } = {}) {
  const { spec } = { ...SENDERS.slack };
  if (spec === undefined) throw new Error('there is no Slack');
  const api = await startLoopback(spec);
  const { isSaved = true, token = 'xoxe-1-1' } = changes;
  const plain = await connectContext('slack', api.url(), {
    patienceMs: 2_000,
    account: { token: secret(token) },
  });
  const context: TestConnect = {
    ...plain,
    saveSecret: async (webhook, made) => isSaved && plain.saveSecret(webhook, made),
  };
  const make = (adopt: string | null = null) => connect(context, order('slack', 'hookctl', { adopt }));
  const app = (): KeptHook => {
    const [found] = api.hooks;
    if (found === undefined) throw new Error('there is no app');
    return found;
  };
  const record = () => {
    const [found] = context.store.connections();
    if (found === undefined) throw new Error('there is no connection');
    return found;
  };
  const calls = () => api.calls.map(({ path }) => path);
  return { api, context, make, app, record, calls };
}

test('an app is made without an address, and gets it when its signing secret is known', async () => {
  const { api, context, make, app, record, calls } = await workspace();
  const asked: (string | undefined)[] = [];
  api.onPing = () => asked.push(context.saved.get('slack'));
  const { outcome, notes } = await make();
  expect(outcome).toBe('made');
  expect(notes.join()).toContain(`https://api.slack.com/apps/${app().id}`);
  expect(calls()).toEqual([
    ...['/tooling.tokens.rotate', '/apps.manifest.validate'],
    ...['/apps.manifest.create', '/apps.manifest.update'],
  ]);
  expect(asked).toEqual([app().secret]);
  const url = `https://first.example/webhooks/slack?hookctl=${context.store.installationId()}`;
  expect(record()).toMatchObject({ remoteId: app().id, url, events: ['app_mention', 'message.im'] });
  expect(manifestOf(app())).toMatchObject({
    oauth_config: { scopes: { bot: expect.arrayContaining(['app_mentions:read', 'chat:write']) } },
    settings: {
      event_subscriptions: { request_url: url, bot_events: ['app_mention', 'message.im'] },
      interactivity: { is_enabled: true, request_url: url },
    },
  });
  expect((await make()).outcome).toBe('kept');
});

test('its tokens are renewed by the next refresh token, which is on disk before it is needed', async () => {
  const { api, context, make, record } = await workspace();
  await make();
  const file = join(context.dataFolder, 'slack-config-token.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ refresh_token: 'xoxe-1-2' });
  const later = Date.now() + 13 * 3_600_000;
  const tomorrow = { ...context, clock: { now: () => later } };
  context.moveTo('https://second.example');
  await Promise.all([repoint(tomorrow, record()), checkAll(tomorrow, { fix: false })]);
  const used = api.calls.flatMap(({ body }) => body.refresh_token ?? []);
  expect(new Set(used).size).toBe(used.length);
  expect(used.slice(0, 2)).toEqual(['xoxe-1-1', 'xoxe-1-2']);
});

test('a refresh token that was used elsewhere: nothing is made, and the message says where to make one', async () => {
  const { api, make, context } = await workspace({ token: 'xoxe-1-used' });
  await expect(make()).rejects.toMatchObject({
    code: 'slack_token',
    message: expect.stringContaining('invalid_refresh_token'),
    fix: expect.stringContaining('api.slack.com/apps'),
  });
  expect([api.hooks, context.store.connections()]).toEqual([[], []]);
});

test('a new URL: all addresses in the manifest follow, and what a person wrote there stays', async () => {
  const { context, make, app, record } = await workspace();
  await make();
  const manifest = manifestOf(app());
  const [{ url: first }] = [app()];
  Object.assign(manifest, {
    features: {
      bot_user: { display_name: 'Robot' },
      slash_commands: [
        { command: '/agent', url: first, description: 'Ask' },
        { command: '/other', url: 'https://x.example/', description: 'Theirs' },
      ],
    },
  });
  context.moveTo('https://second.example');
  await repoint(context, record());
  const url = `https://second.example/webhooks/slack?hookctl=${context.store.installationId()}`;
  expect(manifestOf(app())).toMatchObject({
    features: {
      bot_user: { display_name: 'Robot' },
      slash_commands: [{ url }, { url: 'https://x.example/' }],
    },
    settings: { event_subscriptions: { request_url: url }, interactivity: { request_url: url } },
  });
});

test('a secret that only a person can save: the app waits for its address until connect check --fix', async () => {
  const { context, make, app, record } = await workspace({ isSaved: false });
  const { secretToSave, notes } = await make();
  expect(secretToSave).toBe(app().secret);
  expect(notes.join()).toContain('connect check --fix');
  expect([app().url, record().problem]).toEqual(['', expect.stringContaining('no address yet')]);
  // As at the next start, when the secret is in its variable.
  await repoint(context, record());
  await checkAll(context, { fix: true });
  expect([app().url, record().problem]).toEqual([expect.stringContaining('first.example'), null]);
});

test('an answer that was lost: no second app is made before a person has looked; --adopt takes the first one over', async () => {
  const { api, context, make, app, record } = await workspace();
  api.failNext({ cut: 'reset', isDone: true }, ({ path }) => path === '/apps.manifest.create');
  await expect(make()).rejects.toMatchObject({ code: 'api_uncertain' });
  expect(record().remoteId).toBeNull();
  await expect(make()).rejects.toMatchObject({
    code: 'maybe_made',
    fix: expect.stringContaining(`connect remove ${record().id}`),
  });
  expect(api.hooks).toHaveLength(1);
  expect((await make(app().id)).outcome).toBe('adopted');
  expect(app().url).toContain('first.example');
  await disconnect(context, record());
  expect([api.hooks.length, context.store.connections()]).toEqual([1, []]);
});

test('an app that a person deleted is missing, and a token without the right is named', async () => {
  const { api, context, make } = await workspace();
  await make();
  api.hooks.length = 0;
  expect((await checkAll(context, { fix: false })).connections[0]?.state).toBe('missing');
  const other = await workspace({ token: 'xoxb-a-bot-token' });
  await expect(other.make()).rejects.toMatchObject({
    message: expect.stringContaining('invalid_auth'),
    fix: expect.stringContaining('SLACK_CONFIG_TOKEN'),
  });
  expect(other.context.store.connections()).toEqual([]);
});
