import { expect, test } from 'vitest';
import { freshStore } from '../store/fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { account, apisForFile, comment, record, startBench } from './support.ts';

const apis = apisForFile();
const DAY_MS = 86_400_000;

test.each([
  ['back', -DAY_MS],
  ['on', DAY_MS],
])('a clock that is set a day %s does not keep what waits from being sent', async (_, jump) => {
  let offset = 0;
  const { store, outbox, end } = await startBench({
    store: await freshStore(),
    accountOf: () => account('github', apis().url),
    now: () => Date.now() + offset,
  });
  const item = comment('github');
  await record(store, 'github', item);
  apis().fail({ status: 500 });
  outbox.wake();
  await eventually('a first try to fail', () => store.outgoing(item.id)?.reason);
  offset = jump;
  expect(await end(item)).toMatchObject({ status: 'sent', attempts: 2 });
});

test('what an earlier process put off by a clock that was wrong is sent within hours', async () => {
  const store = await freshStore();
  const item = comment('github');
  await record(store, 'github', item);
  await store.beginOutgoing(item.id);
  const note = {
    status: 'waiting',
    reason: 'HTTP 500',
    uncertain: false,
    remoteId: null,
    settledAt: null,
  } as const;
  await store.noteOutgoing(item.id, { ...note, nextAttemptAt: Date.now() + 400 * DAY_MS });
  let hours = 0;
  const { outbox, end } = await startBench({
    store,
    accountOf: () => account('github', apis().url),
    steady: () => hours * 3_600_000,
  });
  outbox.wake();
  hours = 3;
  expect(await end(item)).toMatchObject({ status: 'sent' });
});
