import { expect, test } from 'vitest';
import { createIds, deliveryIds } from '../../src/lib/ids.ts';

const NOON = Date.UTC(2026, 10, 30, 12);

/** Ids of one delivery: of each command of each event some tasks. */
function tasksOf(delivery: string, commands: readonly string[], events = 1, each = 1): string[] {
  const ids = deliveryIds(delivery);
  const made: string[] = [];
  for (let event = 0; event < events; event += 1) {
    for (const command of commands) {
      const source = ids(event, command);
      for (let at = 0; at < each; at += 1) made.push(source.next('task'));
    }
  }
  return made;
}

test('ids of a delivery: made again they are the same, in the format of all ids', () => {
  const delivery = createIds(() => NOON).next('dlv');
  const made = tasksOf(delivery, ['analyze', 'trigger:1'], 3, 2);
  expect(tasksOf(delivery, ['analyze', 'trigger:1'], 3, 2)).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
  for (const id of made) expect(id).toMatch(/^task-[0-9a-hjkmnp-tv-z]{16}$/);
  expect(deliveryIds(delivery)(0, 'analyze').next('out')).toMatch(/^out-[0-9a-hjkmnp-tv-z]{16}$/);
});

test('ids of a delivery: another event, command or delivery makes others', () => {
  const ids = createIds(() => NOON);
  const [delivery, next] = [ids.next('dlv'), ids.next('dlv')];
  const first = deliveryIds(delivery)(0, 'analyze').next('task');
  expect(deliveryIds(delivery)(1, 'analyze').next('task')).not.toBe(first);
  expect(deliveryIds(delivery)(0, 'plan').next('task')).not.toBe(first);
  expect(deliveryIds(next)(0, 'analyze').next('task')).not.toBe(first);
});

test('ids of a delivery: one kind more does not change those of another', () => {
  const delivery = createIds(() => NOON).next('dlv');
  const answered = deliveryIds(delivery)(0, 'analyze');
  answered.next('out');
  expect(answered.next('task')).toBe(deliveryIds(delivery)(0, 'analyze').next('task'));
});

test('ids of a delivery: they sort by its time, then as they were made', () => {
  let now = NOON;
  const ids = createIds(() => now);
  const deliveries = Array.from({ length: 20 }, () => {
    now += 1;
    return ids.next('dlv');
  });
  const made = deliveries.flatMap((delivery) => tasksOf(delivery, ['b', 'a', 'c'], 40));
  expect(made.toSorted()).toEqual(made);
});

test('ids of a delivery: a million deliveries, five in each millisecond, make no id twice', () => {
  let made = 0;
  const ids = createIds(() => NOON + Math.floor(made / 5));
  const seen = new Set<string>();
  for (; made < 1_000_000; made += 1) seen.add(deliveryIds(ids.next('dlv'))(0, 'analyze').next('task'));
  expect(seen.size).toBe(made);
});

test('ids of a delivery: two hundred deliveries of one millisecond, with a thousand tasks each, make no id twice', () => {
  const ids = createIds(() => NOON);
  const seen = new Set<string>();
  for (let at = 0; at < 200; at += 1)
    for (const id of tasksOf(ids.next('dlv'), ['analyze'], 1_000)) seen.add(id);
  expect(seen.size).toBe(200_000);
});
