import { describe, expect, test } from 'vitest';
import { cronMistake, nextDue } from '../../src/lib/cron/due-times.ts';
import { runDue } from '../../src/tasks/schedules.ts';
import type { Schedule, Task } from '../../src/types.ts';
import { startEngine } from '../support/engine.ts';

const HOUR = 3_600_000;

function schedule(cron: string, more: Partial<Schedule> = {}): Schedule {
  return {
    ...{ name: 'nightly', cron, timeZone: 'Europe/Berlin', prompt: 'Look at the open issues.' },
    ...{ conversation: 'new', requiresApproval: false, missed: 'once', jitter: 0, enabled: true },
    ...more,
  };
}

/** A clock that the test sets, and the due times of the tasks that were made by then. */
async function startClock(schedules: readonly Schedule[], from: string) {
  const { context } = await startEngine({});
  let now = Date.parse(from);
  const made: Task[] = [];
  const skipped: string[] = [];
  const report = { task: (task: Task) => made.push(task), skipped: (text: string) => skipped.push(text) };
  const look = (fresh = context) => runDue({ ...fresh, clock: { now: () => now } }, schedules, report);
  await look();
  return {
    context,
    skipped,
    due: () => made.map(({ sourceMetadata }) => sourceMetadata.due),
    made,
    look,
    set(at: string | number) {
      now = typeof at === 'string' ? Date.parse(at) : at;
      return look();
    },
    /** Looks as often as the server would, until then. */
    async runUntil(at: string) {
      while (now < Date.parse(at)) {
        now = Math.min(now + (await look()), Date.parse(at));
      }
      await look();
    },
  };
}

describe('schedules: across a clock change each due time comes once', () => {
  test.each([
    [
      'the hour that is left out',
      '30 2 * * *',
      '2027-03-28T00:30:00Z',
      '2027-03-28T02:00:00Z',
      ['2027-03-28T01:00:00.000Z'],
    ],
    [
      'the hour that is repeated',
      '30 2 * * *',
      '2026-10-24T23:50:00Z',
      '2026-10-25T02:10:00Z',
      ['2026-10-25T00:30:00.000Z'],
    ],
    [
      'each half hour of it',
      '*/30 * * * *',
      '2026-10-24T23:59:00Z',
      '2026-10-25T02:01:00Z',
      [
        '2026-10-25T00:00:00.000Z',
        '2026-10-25T00:30:00.000Z',
        '2026-10-25T01:00:00.000Z',
        '2026-10-25T01:30:00.000Z',
        '2026-10-25T02:00:00.000Z',
      ],
    ],
  ])('%s', async (_, cron, from, to, expected) => {
    const { runUntil, due, skipped } = await startClock([schedule(cron)], from);
    await runUntil(to);
    expect(due()).toEqual(expected);
    expect(skipped).toEqual([]);
  });
});

describe('schedules: after a sleep', () => {
  test.each([
    ['once', ['2026-11-30T03:00:00.000Z', '2026-11-30T04:00:00.000Z'], 2],
    ['skip', ['2026-11-30T04:00:00.000Z'], 3],
  ] as const)('missed: %s', async (missed, expected, left) => {
    const hourly = schedule('0 * * * *', { missed });
    const { set, runUntil, due, skipped } = await startClock([hourly], '2026-11-30T00:30:00Z');
    await set('2026-11-30T03:20:00Z');
    await runUntil('2026-11-30T04:10:00Z');
    expect(due()).toEqual(expected);
    expect(skipped).toEqual([expect.stringContaining(`nightly: ${left} due times passed`)]);
  });

  test('a due time that a crash left half done makes one task', async () => {
    const { set, made, context, look } = await startClock([schedule('0 * * * *')], '2026-11-30T00:59:30Z');
    await set('2026-11-30T01:00:00Z');
    // Its task was stored, and that it was handled was not.
    await context.store.noteSchedule({
      name: 'nightly',
      lastDue: Date.parse('2026-11-30T00:30:00Z'),
      paused: false,
    });
    await look();
    expect(made.map(({ id }) => id)).toEqual([made[0]?.id, made[0]?.id]);
    expect(context.store.tasks()).toHaveLength(1);
    expect(context.store.conversations({})).toHaveLength(1);
  });
});

test('schedules: a clock that is set back repeats nothing, and one that was wrong by days does not stop them', async () => {
  const { set, runUntil, due, skipped } = await startClock([schedule('0 * * * *')], '2026-11-30T00:30:00Z');
  await runUntil('2026-11-30T02:30:00Z');
  await set('2026-11-30T00:50:00Z');
  await runUntil('2026-11-30T03:10:00Z');
  expect(due()).toEqual(['01', '02', '03'].map((hour) => `2026-11-30T${hour}:00:00.000Z`));
  await set('2030-01-01T00:30:00Z');
  await set('2026-11-30T03:20:00Z');
  await runUntil('2026-11-30T04:10:00Z');
  expect(due().at(-1)).toBe('2026-11-30T04:00:00.000Z');
  expect(skipped.at(-1)).toContain('the clock went back by more than a day');
});

test('schedules: random sleeps, restarts and looks make each due time at most once, and the last of each gap', async () => {
  const each = schedule('*/20 * * * *', { jitter: 7 * 60_000 });
  const { set, due } = await startClock([each], '2026-10-24T20:00:00Z');
  let at = Date.parse('2026-10-24T20:00:00Z');
  let seed = 7;
  while (at < Date.parse('2026-10-25T08:00:00Z')) {
    seed = (seed * 48_271) % 2_147_483_647;
    at += seed % (seed % 5 === 0 ? 2 * HOUR : 120_000);
    await set(at);
  }
  const times = due().map(String);
  expect(new Set(times).size).toBe(times.length);
  expect(times).toEqual(times.toSorted());
  expect(times.length).toBeGreaterThan(8);
});

test('schedules: jitter is the same for one due time, and never makes a task early', async () => {
  const late = schedule('0 * * * *', { jitter: 30 * 60_000 });
  const { runUntil, made } = await startClock([late], '2026-11-30T00:30:00Z');
  await runUntil('2026-11-30T04:45:00Z');
  const delays = made.map(
    ({ createdAt, sourceMetadata }) => createdAt - Date.parse(String(sourceMetadata.due)),
  );
  expect(delays).toHaveLength(4);
  expect(new Set(delays).size).toBeGreaterThan(2);
  for (const delay of delays) {
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(31 * 60_000);
  }
});

test('schedules: what comes due while one is paused or disabled makes no task', async () => {
  const off = schedule('0 * * * *', { name: 'off', enabled: false });
  const { context, runUntil, due } = await startClock([schedule('0 * * * *'), off], '2026-11-30T00:30:00Z');
  await context.store.noteSchedule({
    name: 'nightly',
    lastDue: Date.parse('2026-11-30T00:30:00Z'),
    paused: true,
  });
  await runUntil('2026-11-30T03:30:00Z');
  expect(due()).toEqual([]);
});

test.each([
  ['* *', 'Europe/Berlin', 'cron'],
  ['0 0 30 2 *', 'Europe/Berlin', 'cron'],
  ['*/90 * * * *', 'Europe/Berlin', 'cron'],
  ['0 9 * * *', 'Europe/Nowhere', 'timeZone'],
])('schedules: %s in %s is a mistake', (cron, timeZone, field) => {
  expect(cronMistake({ cron, timeZone }, Date.parse('2026-11-30T00:00:00Z'))?.field).toBe(field);
});

test('schedules: five fields with names of weekdays are none', () => {
  const friday = { cron: '0 9 * * fri', timeZone: 'UTC' };
  expect(cronMistake(friday, 0)).toBeNull();
  expect(nextDue(friday, Date.parse('2026-11-30T00:00:00Z'))).toBe(Date.parse('2026-12-04T09:00:00Z'));
});

test('schedules: webhooks.yml needs a cron expression and a prompt; mistakes have their place', async () => {
  const yaml = 'schedules: { nightly: { cron: "0 2 * * *", prompt: Look. } }';
  const { configuration } = await startEngine({ yaml });
  const local = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(configuration.schedules).toEqual([
    expect.objectContaining({ name: 'nightly', timeZone: local, jitter: 0, missed: 'once', enabled: true }),
  ]);
  const wrong = yaml.replace('0 2', '0 25');
  await expect(startEngine({ yaml: wrong })).rejects.toThrow(
    /schedules\.nightly\.cron: 0 25 \* \* \* is no cron/,
  );
});
