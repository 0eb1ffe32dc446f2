import { expect, test } from 'vitest';
import { connect, disconnect, ping } from '../../src/connect/operations.ts';
import { checkAll, repoint, setPaused } from '../../src/connect/upkeep.ts';
import type { Connection } from '../../src/types.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type KeptHook, type LoopbackApi, startLoopback } from '../support/hook-apis/loopback.ts';
import { connectContext, order, type TestConnect } from './support.ts';

async function started() {
  const api = await startLoopback(githubApi);
  const context = await connectContext('github', api.url());
  const marker = context.store.installationId();
  const foreign = (changes: Partial<KeptHook> = {}): KeptHook => {
    const hook: KeptHook = {
      id: api.nextId(),
      place: '/repos/acme/api',
      url: 'https://ci.example/hook',
      events: ['push'],
      secret: 'theirs',
      isActive: true,
      ...changes,
    };
    api.hooks.push(hook);
    return hook;
  };
  return { api, context, marker, foreign };
}

/** The first hook of the sender. */
function onlyHook({ hooks: [hook] }: LoopbackApi): KeptHook {
  if (hook === undefined) throw new Error('there is no hook');
  return hook;
}

function onlyRecord({ store }: TestConnect): Connection {
  const [record] = store.connections();
  if (record === undefined) throw new Error('there is no connection');
  return record;
}

async function made(context: TestConnect): Promise<Connection> {
  await connect(context, order('github', 'acme/api'));
  return onlyRecord(context);
}

test('connect: the hook has URL with marker, secret and the events of the commands, and is on record', async () => {
  const { api, context, marker, foreign } = await started();
  for (let at = 0; at < 5; at += 1) foreign();
  const before = structuredClone(api.hooks);
  const { connection, outcome } = await connect(context, order('github', 'https://github.com/acme/api'));
  expect(outcome).toBe('made');
  expect(api.hooks.slice(0, 5)).toEqual(before);
  const [hook] = api.hooks.slice(5);
  expect(hook).toEqual({
    id: connection?.remoteId,
    place: '/repos/acme/api',
    url: `https://first.example/webhooks/github?hookctl=${marker}`,
    events: ['issue_comment', 'issues', 'pull_request', 'pull_request_review', 'pull_request_review_comment'],
    secret: 'a',
    isActive: true,
  });
  expect(context.store.connections()).toEqual([connection]);
  expect(JSON.stringify(context.store.connections())).not.toContain('"a"');
});

test('connect: a second time nothing is changed, and a changed command changes the events alone', async () => {
  const { api, context } = await started();
  await connect(context, order('github', 'acme/api'));
  expect((await connect(context, order('github', 'acme/api'))).outcome).toBe('kept');
  expect(api.calls.filter(({ method }) => method !== 'GET')).toHaveLength(1);
  expect(api.hooks).toHaveLength(1);
  onlyHook(api).events = ['push'];
  expect((await connect(context, order('github', 'acme/api'))).outcome).toBe('changed');
  expect(api.hooks[0]?.events).toContain('issue_comment');
});

test('connect: an organisation has its own route', async () => {
  const { api, context } = await started();
  await connect(context, order('github', 'acme', { isOrganisation: true }));
  expect(api.hooks[0]?.place).toBe('/orgs/acme');
  await expect(connect(context, order('github', 'acme'))).rejects.toMatchObject({ exitCode: 2 });
});

test('connect --adopt: takes over the hook that leads to the same endpoint, never one of another hookctl', async () => {
  const { api, context, foreign } = await started();
  const other = foreign({ url: 'https://theirs.example/webhooks/github?hookctl=ffffffffffffffff' });
  const mine = foreign({ url: 'https://old.example/webhooks/github' });
  const dry = await connect(context, order('github', 'acme/api', { isDryRun: true }));
  expect(dry.notes.join()).toContain(`--adopt ${mine.id}`);
  const refused = connect(context, order('github', 'acme/api', { adopt: other.id }));
  await expect(refused).rejects.toMatchObject({ code: 'foreign_hook' });
  const { outcome, connection } = await connect(context, order('github', 'acme/api', { adopt: '' }));
  expect(outcome).toBe('adopted');
  expect(connection).toMatchObject({ remoteId: mine.id, isAdopted: true });
  expect(api.hooks).toHaveLength(2);
  expect(mine).toMatchObject({ secret: 'a', events: expect.arrayContaining(['issues']) });
  expect(other.secret).toBe('theirs');
});

test('connect --dry-run: prints the calls without the secret and changes nothing', async () => {
  const { api, context } = await started();
  const { calls, connection } = await connect(context, order('github', 'acme/api', { isDryRun: true }));
  expect(connection).toBeNull();
  expect(calls.map((call) => call.split(' ', 2).join(' ').replace(api.url(), ''))).toEqual([
    'GET /repos/acme/api/hooks?per_page=100',
    'POST /repos/acme/api/hooks',
    'POST /repos/acme/api/hooks/{id}/pings',
  ]);
  expect(calls[1]).toContain('"secret":"********"');
  expect(api.calls.every(({ method }) => method === 'GET')).toBe(true);
  expect(context.store.connections()).toEqual([]);
});

test('a URL that changes: the hook follows, its secret and events are untouched', async () => {
  const { api, context, marker } = await started();
  const connection = await made(context);
  const before = { ...api.hooks[0] };
  context.moveTo('https://second.example');
  await repoint(context, connection);
  const url = `https://second.example/webhooks/github?hookctl=${marker}`;
  expect(api.hooks[0]).toEqual({ ...before, url });
  expect(context.store.connections()[0]).toMatchObject({ url });
  expect(await repoint(context, onlyRecord(context))).toBeNull();
});

test('connect check: shows each difference, and --fix mends it', async () => {
  const { api, context } = await started();
  await connect(context, order('github', 'acme/api'));
  const hook = onlyHook(api);
  const whole = { ...hook };
  expect((await checkAll(context, { fix: false })).connections[0]?.state).toBe('ok');
  Object.assign(hook, { url: 'https://gone.example/', events: ['push'], isActive: false, secret: null });
  const { connections } = await checkAll(context, { fix: false });
  expect(connections[0]?.differences.map(({ field }) => field)).toEqual([
    'url',
    'events',
    'active',
    'secret',
  ]);
  expect(context.store.connections()[0]?.problem).toContain('connect check --fix');
  expect((await checkAll(context, { fix: true })).connections[0]?.state).toBe('mended');
  expect(hook).toEqual(whole);
  expect(context.store.connections()[0]?.problem).toBeNull();
  api.hooks.length = 0;
  expect((await checkAll(context, { fix: false })).connections[0]?.state).toBe('missing');
  await checkAll(context, { fix: true });
  expect(api.hooks).toHaveLength(1);
});

test('connect check: lists a hook of this installation that no record names, and --fix removes it', async () => {
  const { api, context, marker, foreign } = await started();
  const other = foreign({ url: 'https://x.example/webhooks/github?hookctl=ffffffffffffffff' });
  await connect(context, order('github', 'acme/api'));
  const orphan = foreign({ url: `https://x.example/webhooks/old?hookctl=${marker}` });
  const report = await checkAll(context, { fix: false });
  expect(report.orphans).toMatchObject([{ id: orphan.id, isRemoved: false }]);
  await checkAll(context, { fix: true });
  expect(api.hooks).not.toContain(orphan);
  expect(api.hooks).toContain(other);
});

test('connect remove: the hook is gone here and there, also when someone removed it there', async () => {
  const { api, context, foreign } = await started();
  const other = foreign();
  const connection = await made(context);
  await disconnect(context, connection);
  expect(api.hooks).toEqual([other]);
  const again = await made(context);
  api.hooks.splice(1);
  await disconnect(context, again);
  expect(context.store.connections()).toEqual([]);
});

test('ping and pause: the sender is asked for a test, and stops and starts', async () => {
  const { api, context } = await started();
  const pings: string[] = [];
  api.onPing = ({ id }) => pings.push(id);
  const connection = await made(context);
  expect(await ping(context, connection)).toBe(true);
  expect(pings).toEqual([connection?.remoteId, connection?.remoteId]);
  await setPaused(context, connection, true);
  expect(api.hooks[0]).toMatchObject({ isActive: false, secret: 'a' });
  await setPaused(context, onlyRecord(context), false);
  expect(api.hooks[0]?.isActive).toBe(true);
});

test('nothing leads here from outside: no hook is made, and the message says what to type', async () => {
  const { api, context } = await started();
  context.moveTo(null);
  const refused = connect(context, order('github', 'acme/api'));
  await expect(refused).rejects.toMatchObject({
    code: 'no_public_url',
    fix: expect.stringContaining('--tunnel'),
  });
  expect(api.calls).toEqual([]);
});
