import { createHash } from 'node:crypto';
import { dueWithin, MOST_DUE, nextDue } from '../lib/cron/due-times.ts';
import { deliveryIds, idFloor } from '../lib/ids.ts';
import type { ScheduleState } from '../store/tasks.ts';
import type { Schedule, Task } from '../types.ts';
import { createTask } from './create.ts';
import type { TaskContext } from './sync.ts';

/** What became of due times. */
interface ScheduleReport {
  task(task: Task): void;
  /** Due times that no task was made for, and why. */
  skipped(text: string): void;
}

/** Later than this a due time is a missed one. */
const LATE_MS = 60_000;
/** Between two looks at the clock: a machine that slept, or whose clock was set, is noticed by then. */
const LONGEST_REST_MS = 20_000;
/** A last due time this far ahead is left from a clock that was wrong. */
const WRONG_CLOCK_MS = 24 * 3_600_000;

/** How much later than it is due a task is made: always the same for one due time. */
function offsetOf({ name, jitter }: Schedule, due: number): number {
  const hash = createHash('sha256').update(`${name} ${due}`).digest().readUInt32BE();
  return Math.floor((hash / 2 ** 32) * jitter);
}

/** Makes the task of one due time; the same one when that is repeated after a crash. */
async function makeTask(context: TaskContext, schedule: Schedule, due: number): Promise<Task> {
  return scheduledTask(
    { ...context, ids: deliveryIds(`${idFloor('dlv', due)}00`)(0, schedule.name) },
    schedule,
    due,
  );
}

/** Makes a task of a schedule. `due`: null when a person asked for it now. */
export function scheduledTask(context: TaskContext, schedule: Schedule, due: number | null): Promise<Task> {
  const { name, prompt, title = name, agent, conversation, requiresApproval } = schedule;
  const metadata = {
    schedule: name,
    due: due === null ? null : new Date(due).toISOString(),
    new_conversation: conversation === 'new',
  };
  const request = { prompt, title, agent, metadata, requiresApproval, externalId: `schedule:${name}` };
  return createTask(context, request, 'schedule', 'the store');
}

/**
 * Makes the tasks that are due, each due time once, and returns the milliseconds until the next look. What is done is known by
 * the last due time, in UTC, so that neither a restart nor another clock repeats it.
 */
export async function runDue(
  context: TaskContext,
  schedules: readonly Schedule[],
  report: ScheduleReport,
): Promise<number> {
  const { store, clock } = context;
  const now = clock.now();
  const states = new Map(store.schedules().map((state) => [state.name, state]));
  let rest = LONGEST_REST_MS;
  for (const schedule of schedules.filter(({ enabled }) => enabled)) {
    const next = await runOne(context, schedule, states.get(schedule.name) ?? null, report);
    if (next !== null) rest = Math.min(rest, Math.max(1, next - now));
  }
  return rest;
}

/** Returns when its next task is made; null when it is paused. */
async function runOne(
  context: TaskContext,
  schedule: Schedule,
  state: ScheduleState | null,
  report: ScheduleReport,
): Promise<number | null> {
  const { store, clock } = context;
  const { name } = schedule;
  const now = clock.now();
  const note = (lastDue: number) => store.noteSchedule({ name, lastDue, paused: state?.paused === 1 });
  if (state?.lastDue == null || state.lastDue > now + WRONG_CLOCK_MS) {
    if (state?.lastDue != null) {
      report.skipped(`schedule ${name}: the clock went back by more than a day, so it starts anew`);
    }
    await note(now);
    return runOne(context, schedule, { name, lastDue: now, paused: state?.paused ?? 0 }, report);
  }
  if (state.paused === 1) return null;
  const since = state.lastDue;
  const due = dueWithin(schedule, since, now);
  const ready = due.filter((at) => at + offsetOf(schedule, at) <= now);
  const missed = ready.filter((at) => now - at - offsetOf(schedule, at) > LATE_MS);
  const once = schedule.missed === 'once' ? missed.slice(-1) : [];
  const left = missed.length - once.length;
  if (left > 0) {
    const count = left >= MOST_DUE - 1 ? 'very many due times' : `${left} due time${left === 1 ? '' : 's'}`;
    report.skipped(
      `schedule ${name}: ${count} passed while hookctl or the machine was off; no task is made for them`,
    );
  }
  for (const at of [...once, ...ready.slice(missed.length)]) {
    report.task(await makeTask(context, schedule, at));
    await note(at);
  }
  const last = ready.at(-1) ?? since;
  if (left > 0 && once.length === 0) await note(last);
  const [waiting = nextDue(schedule, last)] = due.filter((at) => at > last);
  return waiting === null ? null : waiting + offsetOf(schedule, waiting);
}

/** How a schedule looks outside. */
export type ScheduleView = ReturnType<typeof scheduleView>;

export function scheduleView(schedule: Schedule, state: ScheduleState | undefined, now: number) {
  const { name, cron, timeZone, agent, title, missed, jitter, enabled } = schedule;
  const isPaused = state?.paused === 1;
  const next = !enabled || isPaused ? null : nextDue(schedule, Math.max(now, state?.lastDue ?? 0));
  const iso = (at: number | null | undefined) => (at == null ? null : new Date(at).toISOString());
  return {
    ...{ name, cron, time_zone: timeZone, agent: agent ?? null, title: title ?? name, missed },
    jitter_ms: jitter,
    state: enabled ? (isPaused ? ('paused' as const) : ('on' as const)) : ('disabled' as const),
    next_due: iso(next),
    last_due: iso(state?.lastDue),
  };
}
