import { describe, expect, test } from 'vitest';
import { cutAtSentence } from '../../src/lib/text/cut.ts';
import { createBreaker } from '../../src/outbox/breaker.ts';
import { retryAfterMs } from '../../src/outbox/send.ts';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { account, apisForFile, comment, PLACES, record, startBench, storeForFile } from './support.ts';

const apis = apisForFile();
const openStore = storeForFile();
const bench = (options: Partial<Parameters<typeof startBench>[0]> = {}) =>
  startBench({ store: openStore(), accountOf: (provider) => account(provider, apis().url), ...options });

describe('what is sent', () => {
  test.each([
    ['github', 'react', 'eyes', 'github:octo/repo/issues/comments/7:eyes'],
    ['slack', 'react', 'eyes', 'slack:eyes'],
    ['gitlab', 'react', '+1', 'gitlab:5/issues/3:thumbsup'],
  ] as const)('%s %s %s', async (provider, kind, content, expected) => {
    const { store, end } = await bench();
    const item = comment(provider, content, { kind });
    await record(store, provider, item);
    apis().fail({ status: 502, processed: true });
    expect((await end(item)).status).toBe('sent');
    expect(apis().reactions.filter((each) => each === expected)).toHaveLength(1);
  });

  test.each([
    ['github', 'bug', 'bug'],
    ['gitlab', 'bug', 'bug'],
    ['jira', 'needs work', '{"labels":[{"add":"needs-work"}]}'],
  ])('a label on %s', async (provider, content, expected) => {
    const { store, end } = await bench();
    const item = comment(provider, content, { kind: 'label' });
    await record(store, provider, item);
    expect((await end(item)).status).toBe('sent');
    expect(apis().labels).toContain(expected);
  });

  test.each(['github', 'jira', 'slack', 'sentry', 'gitlab'])(
    'a later text replaces the comment on %s',
    async (provider) => {
      const { store, end } = await bench();
      const first = comment(provider, `queued ${provider}`);
      const later = comment(provider, `finished ${provider}`, { edits: first.id });
      await record(store, provider, first, later);
      await end(first);
      expect(await end(later)).toMatchObject({ status: 'sent' });
      const standing = apis().posts.filter(({ text }) => text.includes(` ${provider}`));
      expect(standing).toHaveLength(1);
      expect(standing[0]?.text).toContain(`finished ${provider}`);
      expect(hasMarker(standing[0]?.text ?? '', first.id)).toBe(true);
    },
  );

  test('a later text is a new comment where the first was never posted', async () => {
    const { store, end } = await bench();
    const first = comment('github', 'never there');
    const later = comment('github', 'the result', { edits: first.id });
    await record(store, 'github', first, later);
    apis().fail({ status: 404 });
    expect((await end(first)).status).toBe('failed');
    expect((await end(later)).status).toBe('sent');
    expect(apis().posts.filter(({ text }) => hasMarker(text, later.id))).toHaveLength(1);
  });

  test('the kept bytes and headers to several places, a result each', async () => {
    const { store, end } = await bench();
    const parts = { kind: 'forward', place: { host: null } } as const;
    const good = comment('github', `${apis().url}/commands/x`, parts);
    const bad = comment('github', `${apis().url}/nowhere`, parts);
    const deliveryId = await record(store, 'github', good, bad);
    expect(await end(good)).toMatchObject({ status: 'sent', reason: null });
    expect(await end(bad)).toMatchObject({ status: 'failed', reason: expect.stringContaining('404') });
    const seen = apis().requests.find(({ path }) => path === '/commands/x');
    expect(seen?.body).toBe(`{"id":"${deliveryId}"}`);
    expect(seen?.headers).toMatchObject({ 'x-signed': 'yes', 'x-hookctl-delivery': deliveryId });
    expect(seen?.headers.authorization).toBeUndefined();
  });
});

describe('Slack’s reply channel', () => {
  const respond = (url: string, kind: 'respond' | 'ephemeral' = 'respond') =>
    comment('slack', 'Hello', { kind, place: { ...PLACES.slack, host: null, responseUrl: url } });

  test('is used for a response, without the token', async () => {
    const { store, end } = await bench();
    const item = respond(`${apis().url}/commands/T1/answer`);
    await record(store, 'slack', item);
    expect((await end(item)).status).toBe('sent');
    const seen = apis().requests.find(({ path }) => path === '/commands/T1/answer');
    expect(JSON.parse(seen?.body ?? '')).toMatchObject({
      response_type: 'in_channel',
      text: expect.stringContaining('Hello'),
    });
  });

  test('is not used at any other address: the answer becomes a message', async () => {
    const { store, end } = await bench();
    const item = respond('http://localhost:1/evil');
    await record(store, 'slack', item);
    expect((await end(item)).status).toBe('sent');
    expect(
      apis().posts.filter(({ thread, text }) => thread === 'slack' && hasMarker(text, item.id)),
    ).toHaveLength(1);
  });

  test('is used five times, then the answers become messages', async () => {
    const { store, end } = await bench();
    const items = Array.from({ length: 7 }, () => respond(`${apis().url}/commands/T1/five`));
    await record(store, 'slack', ...items);
    for (const item of items) await end(item);
    expect(apis().requests.filter(({ path }) => path === '/commands/T1/five')).toHaveLength(5);
  });

  test('is left alone after half an hour', async () => {
    const { store, end } = await bench({ now: () => Date.now() + 1_801_000 });
    const item = respond(`${apis().url}/commands/T1/late`);
    await record(store, 'slack', item);
    expect((await end(item)).status).toBe('sent');
    expect(apis().requests.some(({ path }) => path === '/commands/T1/late')).toBe(false);
  });

  test('what may have arrived and can’t be looked for is a person’s turn', async () => {
    const { store, end } = await bench();
    const item = respond(`${apis().url}/commands/T1/reset`, 'ephemeral');
    await record(store, 'slack', item);
    apis().fail({ cut: 'reset', processed: true });
    expect(await end(item)).toMatchObject({ status: 'failed', reason: expect.stringContaining('not known') });
    await store.retryOutgoing(item.id, Date.now());
    expect((await end(item)).status).toBe('sent');
  });
});

describe('where it may go', () => {
  test('without a token it fails, and says which is missing', async () => {
    const { store, end } = await bench({ accountOf: () => ({ missing: 'no GITHUB_TOKEN' }) });
    const item = comment('github');
    await record(store, 'github', item);
    expect(await end(item)).toMatchObject({ status: 'failed', reason: 'no GITHUB_TOKEN', attempts: 0 });
  });

  test('what happened on another host is not answered with this token', async () => {
    const { store, end } = await bench({ accountOf: () => account('github', 'https://api.github.com') });
    const item = comment('github', 'x', { place: { ...PLACES.github, host: 'ghe.example.com' } });
    await record(store, 'github', item);
    expect(await end(item)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ghe.example.com'),
    });
  });

  test.each(['..', '.', ''])('an id that is %j is no path', async (owner) => {
    const { store, end } = await bench();
    const item = comment('github', 'x', { place: { ...PLACES.github, host: null, owner } });
    await record(store, 'github', item);
    expect(await end(item)).toMatchObject({ status: 'failed', attempts: 0 });
  });

  test.each(['127.0.0.1', '10.0.0.8', '169.254.169.254', '::1', '::ffff:192.168.0.1', 'fd00::1'])(
    'a public name that leads to %s is not connected to',
    async (address) => {
      const port = new URL(apis().url).port;
      const before = apis().requests.length;
      const { store, outbox } = await bench({
        accountOf: () => account('github', `http://api.example.com:${port}`),
        resolve: (_, __, callback) =>
          callback(null, [
            { address: '140.82.112.6', family: 4 },
            { address, family: address.includes(':') ? 6 : 4 },
          ]),
      });
      const item = comment('github');
      await record(store, 'github', item);
      outbox.wake();
      await expect.poll(() => store.outgoing(item.id)?.reason).toMatch(/is not public.*privateNetwork/);
      await store.dropOutgoing(item.id, Date.now());
      expect(apis().requests.length).toBe(before);
    },
  );

  test('a private address is reached where the operator says so', async () => {
    const base = apis().url.replace('127.0.0.1', 'jira.example.com');
    const { store, end } = await bench({
      accountOf: () => account('jira', base, { privateNetwork: true }),
      resolve: (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const item = comment('jira');
    await record(store, 'jira', item);
    expect((await end(item)).status).toBe('sent');
  });

  test('an answer of more than 1 MB is cut, and the comment is posted once', async () => {
    const { store, end } = await bench({ deadlineMs: 2_000 });
    const item = comment('github');
    await record(store, 'github', item);
    apis().fail({ status: 200, body: 'x'.repeat(1_500_000), processed: true });
    expect((await end(item)).status).toBe('sent');
    expect(apis().posts.filter(({ text }) => hasMarker(text, item.id))).toHaveLength(1);
  });
});

describe('waiting', () => {
  test('Retry-After in seconds, as a date, in the past, absurdly long', () => {
    const now = Date.parse('2026-11-03T10:00:00Z');
    const wait = (value: string) => retryAfterMs({ 'retry-after': value }, now);
    expect(wait('7')).toBe(7_000);
    expect(wait('Tue, 03 Nov 2026 10:00:30 GMT')).toBe(30_000);
    expect(wait('Tue, 03 Nov 2026 09:00:00 GMT')).toBeNull();
    expect(wait('1000000000')).toBe(3_600_000);
    expect(wait('soon')).toBeNull();
    expect(retryAfterMs({}, now)).toBeNull();
  });

  test('a host that is down gets at most ten requests in ten minutes, one probe at a time', () => {
    const breaker = createBreaker(120_000);
    let calls = 0;
    for (let now = 0; now < 600_000; now += 1_000) {
      for (let item = 0; item < 20; item += 1) {
        if (breaker.blockedUntil('down', now) !== null) continue;
        calls += 1;
        breaker.failed('down', now);
      }
    }
    expect(calls).toBeLessThanOrEqual(10);
    expect(breaker.blockedUntil('up', 0)).toBeNull();
    const at = 1_000_000;
    expect(breaker.blockedUntil('down', at)).toBeNull();
    expect(breaker.blockedUntil('down', at)).not.toBeNull();
    breaker.succeeded('down');
    expect(breaker.blockedUntil('down', at)).toBeNull();
  });

  test('what is dropped is not sent', async () => {
    const { store, outbox } = await bench();
    const item = comment('github');
    await record(store, 'github', item);
    expect(await store.dropOutgoing(item.id, Date.now())).toBe(true);
    outbox.wake();
    const other = comment('github');
    await record(store, 'github', other);
    outbox.wake();
    await expect.poll(() => store.outgoing(other.id)?.status).toBe('sent');
    expect(apis().posts.some(({ text }) => hasMarker(text, item.id))).toBe(false);
    expect(await store.dropOutgoing(other.id, Date.now())).toBe(false);
  });
});

describe('a long text', () => {
  const sentence = 'This is a sentence of some length. ';
  test.each([100, 333, 65_000])('is cut behind a sentence within %d characters', (limit) => {
    const cut = cutAtSentence(sentence.repeat(3_000), limit);
    expect(cut.length).toBeLessThanOrEqual(limit);
    expect(cut).toMatch(/length\. …$/);
  });

  test('a block of code that is cut is closed', () => {
    const cut = cutAtSentence(`Look:\n\`\`\`\n${'code();\n'.repeat(100)}\`\`\``, 200);
    expect(cut.match(/```/g)).toHaveLength(2);
  });

  test('a short one stays as it is', () => expect(cutAtSentence('Done.', 10)).toBe('Done.'));
});
