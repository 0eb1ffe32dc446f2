import { describe, expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { FAULTS } from './fault-table.ts';
import { account, apisForFile, comment, record, startBench, storeForFile } from './support.ts';

const PROVIDERS = ['github', 'jira', 'slack', 'sentry', 'gitlab'];
/** These are spoken to through the same transport, so that only what their own channel decides is tried. */
const PRESETS = ['gitea', 'bitbucket', 'linear', 'discord', 'pagerduty'];
const OF_THE_CHANNEL = [
  '500 that has done it',
  '401',
  '200 with broken JSON, done',
  'processed, then reset',
  'reset before it was processed',
];

const apis = apisForFile();
const openStore = storeForFile();

describe.each([...PROVIDERS, ...PRESETS])('a comment on %s', (provider) => {
  // GitHub itself says how long to wait when it does not say: a test of its own.
  const faults = FAULTS.filter(([name]) =>
    PRESETS.includes(provider)
      ? OF_THE_CHANNEL.includes(name)
      : provider !== 'github' || name !== '429 without a time',
  );

  test.each(faults)('%s', async (_, fault, end) => {
    const { store, end: ended } = await startBench({
      store: openStore(),
      accountOf: () => account(provider, apis().url),
    });
    const item = comment(provider);
    await record(store, provider, item);
    apis().fail(fault);
    const { status, reason, remoteId } = await ended(item);
    expect({ status, reason }).toMatchObject(end === 'sent' ? { status: end } : { status: end, reason: /./ });
    const standing = apis().posts.filter(({ text }) => hasMarker(text, item.id));
    expect(standing).toHaveLength(end === 'sent' ? 1 : 0);
    if (end === 'sent' && provider !== 'sentry') expect(remoteId).toBe(standing[0]?.id);
    // Discord's token stands in the address.
    const bare = apis().requests.filter(
      ({ headers, path }) =>
        !path.startsWith('/webhooks/') && !headers.authorization && !headers['private-token'],
    );
    expect(bare).toEqual([]);
  });
});

describe.each(PROVIDERS)('a comment on %s', (provider) => {
  test.each([
    ['nobody listens', 'http://127.0.0.1:1', /ECONNREFUSED/],
    ['the name does not exist', 'http://no-such-host.invalid', /no-such-host\.invalid/],
    ['the certificate does not fit', 'https', /./],
  ])('%s: it waits, and is sent once it works', async (_, place, reason) => {
    let base = place === 'https' ? apis().url.replace('http:', 'https:') : place;
    const { store, outbox, end } = await startBench({
      store: openStore(),
      accountOf: () => account(provider, base),
    });
    const item = comment(provider);
    await record(store, provider, item);
    outbox.wake();
    // While a try is under way it is uncertain; after it, it is known that nobody has seen it.
    const waiting = { reason: expect.stringMatching(reason), uncertain: false };
    await expect.poll(() => store.outgoing(item.id), { interval: 3 }).toMatchObject(waiting);
    base = apis().url;
    expect((await end(item)).status).toBe('sent');
    expect(apis().posts.filter(({ text }) => hasMarker(text, item.id))).toHaveLength(1);
  });
});

test('Slack refuses with status 200, and is understood', async () => {
  const { store, end } = await startBench({
    store: openStore(),
    accountOf: () => account('slack', apis().url),
  });
  const item = comment('slack');
  await record(store, 'slack', item);
  apis().fail({ status: 200, body: '{"ok":false,"error":"not_in_channel"}' });
  expect(await end(item)).toMatchObject({ status: 'failed', reason: 'not_in_channel' });
});

test('Linear refuses with status 200, too, and says "not now" with 400', async () => {
  const { store, end } = await startBench({
    store: openStore(),
    accountOf: () => account('linear', apis().url),
  });
  const [refused, delayed] = [comment('linear'), comment('linear')];
  await record(store, 'linear', refused);
  apis().fail({ status: 200, body: '{"data":null,"errors":[{"message":"Entity not found: Issue"}]}' });
  expect(await end(refused)).toMatchObject({ status: 'failed', reason: 'Entity not found: Issue' });
  await record(store, 'linear', delayed);
  const busy = '{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED"}}]}';
  apis().fail({ status: 400, body: busy });
  expect((await end(delayed)).status).toBe('sent');
});

test('Discord’s interaction is over after a quarter of an hour, which is said', async () => {
  const { store, end } = await startBench({
    store: openStore(),
    accountOf: () => account('discord', apis().url),
  });
  const item = comment('discord');
  await record(store, 'discord', item);
  apis().fail({ status: 401, body: '{"message":"Invalid Webhook Token","code":50027}' });
  expect(await end(item)).toMatchObject({ status: 'failed', reason: expect.stringContaining('15 minutes') });
});

test('GitHub’s 403 for too many requests is not final', async () => {
  const { store, end } = await startBench({
    store: openStore(),
    accountOf: () => account('github', apis().url),
  });
  const item = comment('github');
  await record(store, 'github', item);
  const date = new Date().toUTCString();
  const reset = String(Math.floor(Date.parse(date) / 1000) + 1);
  apis().fail({ status: 403, headers: { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } });
  expect((await end(item)).status).toBe('sent');
});

test('GitHub’s 429 without a time is left alone for a minute', async () => {
  const { store, outbox } = await startBench({
    store: openStore(),
    accountOf: () => account('github', apis().url),
  });
  const item = comment('github');
  await record(store, 'github', item);
  apis().fail({ status: 429 });
  outbox.wake();
  await expect.poll(() => store.outgoing(item.id)?.reason).toMatch('rate limit');
  const { nextAttemptAt = 0 } = store.outgoing(item.id) ?? {};
  expect(nextAttemptAt - Date.now()).toBeGreaterThan(55_000);
  await store.dropOutgoing(item.id, Date.now());
});
