import { describe, expect, test } from 'vitest';
import type { NewOutgoing, OutgoingKind } from '../../src/types.ts';
import { tokenOf } from '../lib/tokens.ts';
import { FAULTS } from './fault-table.ts';
import { account, apisForFile, comment, PLACES, record, startBench, storeForFile } from './support.ts';

const apis = apisForFile();
const openStore = storeForFile();
const bench = () =>
  startBench({ store: openStore(), accountOf: (provider) => account(provider, apis().url) });

let number = 0;

interface Kind {
  readonly provider: string;
  /** An item of the kind whose request, and no other, has `mark` in its path or body. */
  item(mark: string): NewOutgoing;
  /** Sent again it changes nothing; what is not repeatable is never sent again when its end is unknown. */
  readonly repeatable: boolean;
}

const answerTo = (kind: 'respond' | 'ephemeral'): Kind => ({
  provider: 'slack',
  item: (mark) =>
    comment('slack', 'Hello', {
      kind,
      place: { ...PLACES.slack, host: null, responseUrl: `${apis().url}/commands/T1/${mark}` },
    }),
  repeatable: false,
});

/** Comments, the sixth kind: faults.test.ts. */
const KINDS: Readonly<Record<string, Kind>> = {
  'a reaction': {
    provider: 'github',
    item: (mark) => {
      const place = { ...PLACES.github, host: null, comment: mark };
      return comment('github', 'eyes', { kind: 'react', place });
    },
    repeatable: true,
  },
  'a label': {
    provider: 'github',
    item: (mark) => comment('github', mark, { kind: 'label' }),
    repeatable: true,
  },
  'a forward': {
    provider: 'github',
    item: (mark) =>
      comment('github', `${apis().url}/commands/${mark}`, { kind: 'forward', place: { host: null } }),
    repeatable: true,
  },
  'a response': answerTo('respond'),
  'a note to the sender': answerTo('ephemeral'),
};

describe.each(Object.entries(KINDS))('%s', (_, { provider, item, repeatable }) => {
  // The wait that GitHub's own 429 asks for has a test in faults.test.ts.
  const faults = FAULTS.filter(([name]) => provider !== 'github' || name !== '429 without a time');

  test.each(faults)('G5: %s', async (_, fault, usual) => {
    const { store, end } = await bench();
    const mark = `90${++number}`;
    const outgoing = item(mark);
    await record(store, provider, outgoing);
    apis().fail(fault);
    const { status, reason } = await end(outgoing);
    const requests = apis().requests.filter(({ path, body }) => path.includes(mark) || body.includes(mark));
    const arrived = requests.length - (fault.processed === true ? 0 : 1);
    if (repeatable) expect({ status, reason }).toMatchObject({ status: usual });
    else expect(arrived).toBeLessThanOrEqual(1);
    if (status === 'sent') expect(arrived).toBeGreaterThanOrEqual(1);
    else expect(reason).toMatch(/./);
  });
});

describe.each(['github', 'jira', 'slack', 'gitlab'])('an edit on %s', (provider) => {
  const faults = FAULTS.filter(([name]) => provider !== 'github' || name !== '429 without a time');

  test.each(faults)('G5: %s', async (_, fault, usual) => {
    const { store, end } = await bench();
    const first = comment(provider, 'queued');
    const later = comment(provider, `finished ${++number}`, { edits: first.id });
    await record(store, provider, first);
    await end(first);
    await record(store, provider, later);
    apis().fail(fault);
    const { status, reason } = await end(later);
    expect({ status, reason }).toMatchObject({ status: usual });
    const standing = apis().posts.filter(({ text }) => text.includes(`finished ${number}`));
    expect(standing).toHaveLength(usual === 'sent' ? 1 : 0);
  });
});

const TOKEN = tokenOf('ghp_{w36}');

/** Rows that an older hookctl wrote hold what they were given: what leaves is clean by itself. */
const LEAVES: Readonly<Record<Exclude<OutgoingKind, 'forward'>, readonly string[]>> = {
  comment: Object.keys(PLACES).filter((provider) => provider !== 'discord' && provider !== 'pagerduty'),
  respond: ['slack'],
  ephemeral: ['slack'],
  react: ['gitlab', 'slack'],
  label: ['github', 'gitlab', 'jira'],
};
const CASES = Object.entries(LEAVES).flatMap(([kind, providers]) =>
  providers.map((provider) => [kind as OutgoingKind, provider] as const),
);

test.each(CASES)('F7: no token leaves in a %s of %s', async (kind, provider) => {
  const { store, end } = await bench();
  const from = apis().requests.length;
  const place = { ...PLACES[provider], host: null };
  if (kind === 'respond') Object.assign(place, { responseUrl: `${apis().url}/commands/T1/token` });
  const item = comment(provider, `mark ${TOKEN} ${++number}`, { kind, place });
  await record(store, provider, item);
  await end(item);
  const sent = apis()
    .requests.slice(from)
    .map(({ path, body }) => `${decodeURIComponent(path)} ${body}`);
  expect(sent.join('\n')).toContain('redacted');
  expect(sent.join('\n')).not.toContain(TOKEN);
});
