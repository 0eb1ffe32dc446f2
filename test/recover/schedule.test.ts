import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Gap, openSchedule, type RecoverOrder } from '../../src/recover/schedule.ts';
import type { SweepReport } from '../../src/recover/sweep.ts';
import { eventually } from '../support/eventually.ts';

const HOUR = 3_600_000;

/** A schedule over one connection whose sweeps say what they are told to. */
function scheduled({ hasTunnel = false, everyMs = HOUR, lastAwake = null as number | null } = {}) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hookctl-schedule-'));
  if (lastAwake !== null) {
    writeFileSync(join(dataFolder, 'last-awake'), '');
    utimesSync(join(dataFolder, 'last-awake'), lastAwake / 1000, lastAwake / 1000);
  }
  const orders: RecoverOrder[] = [];
  const told: { readonly gap: Gap | null; readonly problem: string | null }[] = [];
  const state = { ahead: 0, missing: 0, problem: null as string | null, running: 0, most: 0 };
  const schedule = openSchedule({
    ...{ dataFolder, everyMs, hasTunnel },
    clock: { now: () => Date.now() + state.ahead },
    async sweep(order) {
      orders.push(order);
      state.running += 1;
      state.most = Math.max(state.most, state.running);
      await new Promise(setImmediate);
      state.running -= 1;
      const { missing, problem } = state;
      return [{ connectionId: 'con-1', missing, problem } as SweepReport];
    },
    missed: () => undefined,
    report: ({ problem }, gap) => void told.push({ gap, problem }),
    broken(error) {
      throw error;
    },
  });
  onTestFinished(async () => {
    await schedule.close();
    rmSync(dataFolder, { recursive: true });
  });
  return { schedule, orders, told, state };
}

test('the first sweep tells since when nothing was served; in a folder that never was, of what is missing alone', async () => {
  const lastAwake = Date.now() - HOUR;
  const again = scheduled({ lastAwake });
  again.schedule.begin();
  const [first] = await eventually('a report', () => (again.told.length > 0 ? again.told : null));
  expect(first?.gap).toMatchObject({ kind: 'stopped', from: Math.floor(lastAwake) });

  const fresh = scheduled();
  fresh.schedule.begin();
  await eventually('the sweep', () => fresh.orders.length > 0);
  expect(fresh.told).toEqual([]);
});

test('with a tunnel the first sweep waits until it leads here, and each time it was down another one follows', async () => {
  const { schedule, orders, told } = scheduled({ hasTunnel: true });
  schedule.begin();
  schedule.tunnel({ isUp: false, since: 1 });
  await new Promise(setImmediate);
  expect(orders).toEqual([]);
  schedule.tunnel({ isUp: true, since: 2 });
  await eventually('the first sweep', () => orders.length === 1);
  const downAt = Date.now() - 90_000;
  schedule.tunnel({ isUp: false, since: downAt });
  schedule.tunnel({ isUp: false, since: downAt + 1_000 });
  schedule.tunnel({ isUp: true, since: Date.now() });
  await eventually('the second sweep', () => orders.length === 2);
  await eventually('its report', () => told.length === 1);
  expect(told[0]?.gap).toMatchObject({ kind: 'tunnel', from: downAt });
});

test('sweeps come again after a while, one at a time; a problem that lasts is told once', async () => {
  const { schedule, orders, told, state } = scheduled({ everyMs: 10 });
  state.problem = '401 Unauthorized';
  schedule.begin();
  const asked = [1, 2, 3].map(() => schedule.recover({ since: 0, webhook: null, isDryRun: true }));
  await Promise.all(asked);
  await eventually('five sweeps', () => orders.length >= 8);
  expect(told).toEqual([{ gap: null, problem: '401 Unauthorized' }]);
  expect(state.most).toBe(1);
  state.problem = null;
  state.missing = 2;
  await eventually('a report of what is missing', () => told.length > 1);
});

test('a machine that slept is swept for at once', async () => {
  const { schedule, orders, told, state } = scheduled({ everyMs: 50 });
  schedule.begin();
  await eventually('the first sweep', () => orders.length > 0);
  state.ahead = HOUR;
  const [first] = await eventually('a report', () => (told.length > 0 ? told : null));
  expect(first?.gap?.kind).toBe('asleep');
  expect((first?.gap?.to ?? 0) - (first?.gap?.from ?? 0)).toBeGreaterThan(HOUR - 10_000);
});

test('closing does not wait for a sender that does not answer', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hookctl-schedule-'));
  onTestFinished(() => rmSync(dataFolder, { recursive: true }));
  let isSweeping = false;
  const schedule = openSchedule({
    ...{ dataFolder, everyMs: HOUR, hasTunnel: false, clock: { now: Date.now } },
    sweep() {
      isSweeping = true;
      return new Promise(() => undefined);
    },
    ...{ missed: () => undefined, report: () => undefined, broken: () => undefined },
  });
  schedule.begin();
  await eventually('a sweep', () => isSweeping);
  await schedule.close();
});
