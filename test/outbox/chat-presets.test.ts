import { describe, expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { FAULTS } from './fault-table.ts';
import { account, apisForFile, comment, record, startBench, storeForFile } from './support.ts';

const apis = apisForFile();
const openStore = storeForFile();
const bench = (provider: string) =>
  startBench({ store: openStore(), accountOf: () => account(provider, apis().url) });
const postsOf = (id: string) => apis().posts.filter(({ text }) => hasMarker(text, id));

/** Faults after which it is not known whether a post arrived: what can't be looked for is left to a person. */
const UNKNOWN = [
  '500',
  '500 that has done it',
  '502',
  '504 that has done it',
  'no answer, done',
  'no answer, not done',
  'half an answer, done',
  'processed, then reset',
  'reset before it was processed',
];

describe.each(['teams', 'telegram', 'zendesk'])('a comment on %s', (provider) => {
  test('is posted once, with what proves the account', async () => {
    const { store, end } = await bench(provider);
    const item = comment(provider, 'All *done*.');
    await record(store, provider, item);
    const { status, remoteId } = await end(item);
    const [standing, ...more] = postsOf(item.id);
    expect({ status, remoteId, more }).toEqual({
      status: 'sent',
      remoteId: provider === 'teams' ? null : standing?.id,
      more: [],
    });
    expect(standing?.text).toContain('done');
    const basic = `Basic ${Buffer.from('/token:token-of-zendesk').toString('base64')}`;
    expect(apis().requests.at(-1)?.headers.authorization).toBe(provider === 'zendesk' ? basic : undefined);
  });

  test.each(FAULTS)('%s: it is never posted twice', async (name, fault, usual) => {
    const { store, end } = await bench(provider);
    const item = comment(provider);
    await record(store, provider, item);
    apis().fail(fault);
    const { status, reason } = await end(item);
    const isUnknown = provider !== 'zendesk' && UNKNOWN.includes(name);
    // Its 200 counts: the answer of Telegram and Teams is needed for nothing but an edit.
    expect({ name, status }).toEqual({ name, status: isUnknown ? 'failed' : usual });
    if (isUnknown) expect(reason).toMatch('hookctl outbox retry');
    const arrived = isUnknown ? (fault.processed === true ? 1 : 0) : usual === 'sent' ? 1 : 0;
    expect(postsOf(item.id)).toHaveLength(arrived);
  });

  test('429 with Retry-After: it waits as long as it is asked to', async () => {
    const { store, outbox } = await bench(provider);
    const item = comment(provider);
    await record(store, provider, item);
    apis().fail({ status: 429, headers: { 'retry-after': '120' } });
    const before = Date.now();
    outbox.wake();
    await expect.poll(() => store.outgoing(item.id)?.reason).toMatch('429');
    expect(store.outgoing(item.id)).toMatchObject({ status: 'waiting', uncertain: false });
    expect((store.outgoing(item.id)?.nextAttemptAt ?? 0) - before).toBeGreaterThanOrEqual(119_000);
    expect(postsOf(item.id)).toEqual([]);
    await store.dropOutgoing(item.id, Date.now());
  });
});

test('a card of Teams holds words of others as runs, which Teams reads no Markdown and no mention in', async () => {
  const { store, end } = await bench('teams');
  const text =
    '# Result\nsee [docs](https://example.com/a) **now**\n\n- <at>Everyone</at> [x](javascript:alert(1))\n> said\n\n```\n  if\n```';
  const item = comment('teams', text);
  await record(store, 'teams', item);
  await end(item);
  const { attachments } = JSON.parse(postsOf(item.id)[0]?.text ?? '');
  const { body, ...card } = attachments[0].content;
  expect(card).toMatchObject({ type: 'AdaptiveCard', version: '1.4', msteams: { width: 'Full' } });
  expect(card.msteams).not.toHaveProperty('entities');
  expect(body.map(({ type }: { type: string }) => type)).toEqual(Array(6).fill('RichTextBlock'));
  const runs = body.flatMap(({ inlines }: { inlines: readonly object[] }) => inlines);
  expect(runs).toEqual([
    { type: 'TextRun', text: 'Result', weight: 'Bolder' },
    { type: 'TextRun', text: 'see ' },
    { type: 'TextRun', text: 'docs', selectAction: { type: 'Action.OpenUrl', url: 'https://example.com/a' } },
    { type: 'TextRun', text: ' ' },
    { type: 'TextRun', text: 'now', weight: 'Bolder' },
    { type: 'TextRun', text: '• ' },
    { type: 'TextRun', text: '<at>Everyone</at> [x](javascript:alert(1))' },
    { type: 'TextRun', text: '│ ' },
    { type: 'TextRun', text: 'said', isSubtle: true },
    { type: 'TextRun', text: '\u00A0\u00A0if', fontType: 'Monospace' },
    { type: 'TextRun', text: `hookctl:${item.id}`, isSubtle: true, size: 'Small' },
  ]);
});

test('a post on Teams names the thread that asked, for a workflow that replies in it', async () => {
  const { store, end } = await bench('teams');
  const item = comment('teams');
  await record(store, 'teams', item);
  await end(item);
  expect(JSON.parse(postsOf(item.id)[0]?.text ?? '')).toMatchObject({
    replyToId: '1',
    conversation: { id: '19:abc@thread.tacv2' },
  });
});

test('a card of Teams stays below its 28 KB, however many lines a text has', async () => {
  const { store, end } = await bench('teams');
  const item = comment('teams', '- a\n'.repeat(1_500));
  await record(store, 'teams', item);
  expect((await end(item)).status).toBe('sent');
  const [{ text = '' } = {}] = postsOf(item.id);
  expect(Buffer.byteLength(text)).toBeLessThan(28_000);
  expect(text).toContain('…');
});

test('Teams says 200 to what the service behind it refused, which is no post', async () => {
  const { store, end } = await bench('teams');
  const said = (status: number) =>
    `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId tcid=0`;
  const [busy, large] = [comment('teams'), comment('teams')];
  await record(store, 'teams', busy);
  apis().fail({ status: 200, body: said(429) });
  expect((await end(busy)).status).toBe('sent');
  expect(postsOf(busy.id)).toHaveLength(1);
  await record(store, 'teams', large);
  apis().fail({ status: 200, body: said(413) });
  expect(await end(large)).toMatchObject({ status: 'failed', reason: expect.stringContaining('413') });
});

test('no row and no reason holds the URL of Teams', async () => {
  const { store, end } = await bench('teams');
  const items = [comment('teams'), comment('teams')] as const;
  const id = await record(store, 'teams', ...items);
  apis().fail({ status: 404, body: 'gone' }, { cut: 'reset' });
  const ended = [await end(items[0]), await end(items[1])];
  expect(JSON.stringify([ended, store.delivery(id)])).not.toMatch(/secret-of-teams|workflows/);
});
