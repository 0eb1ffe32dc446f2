import { HookctlError, messageOf } from '../errors.ts';
import { fullJitter } from '../lib/time.ts';
import type { OutgoingNote, Store } from '../store/store.ts';
import type { Outgoing, Sent } from '../types.ts';
import { createBreaker } from './breaker.ts';
import { type Plan, type PlanContext, planOf } from './plan.ts';
import { send } from './send.ts';
import type { Transport } from './transport.ts';

/** Sends what the store holds as waiting. */
export interface Outbox {
  /** Looks for what is due; called whenever something was recorded. */
  wake(): void;
  /** Takes nothing more and resolves when what is under way has ended; the rest waits in the store. */
  close(): Promise<void>;
}

export interface OutboxOptions extends PlanContext {
  readonly store: Pick<
    Store,
    | 'outgoing'
    | 'delivery'
    | 'body'
    | 'responsesBefore'
    | 'task'
    | 'waitingOutgoing'
    | 'beginOutgoing'
    | 'noteOutgoing'
  >;
  readonly transport: Transport;
  /** Milliseconds by a monotonic clock; default `performance.now`. */
  readonly steady?: () => number;
  /** 0 up to 1, for the jitter. */
  readonly random: () => number;
  /** Called with everything that was sent or given up. */
  readonly onSettled: (item: Outgoing) => void;
  /** In milliseconds; tests are in more of a hurry. */
  readonly timing?: Timing;
}

export interface Timing {
  readonly baseMs: number;
  readonly capMs: number;
  /** Before a try whose end is unknown is looked for: a slow provider may still be at it. */
  readonly settleMs: number;
  /** How long a host that fails again and again is left alone. */
  readonly openMs: number;
}

/** About five hours of tries; after that a person has to retry it. */
const MAX_ATTEMPTS = 20;
const TIMING: Timing = { baseMs: 2_000, capMs: 1_800_000, settleMs: 3_000, openMs: 120_000 };
const CONCURRENCY = 4;
/** More than are sent at once, so that those do not hide others that are due. */
const PAGE = 50;
/** Timers of Node overflow beyond 2^31 ms; and what another process recorded is noticed. */
const LONGEST_SLEEP_MS = 60_000;
/** No try is put off for longer: what seems to be is due by a clock that was set back since. */
const LONGEST_WAIT_MS = 2 * 3_600_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, now, random, steady = () => performance.now(), timing = TIMING } = options;
  const breaker = createBreaker(timing.openMs);
  const underWay = new Map<string, Promise<void>>();
  /** When waiting items are due, by the monotonic clock: the system clock may jump. */
  const dueAt = new Map<string, number>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function wake(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (closed) return;
    const all = store.waitingOutgoing(PAGE + dueAt.size);
    forgetAllBut(new Set(all.map(({ id }) => id)));
    const waits = all.filter(({ id }) => !underWay.has(id)).map((item) => ({ item, ms: waitOf(item) }));
    const due = waits.filter(({ ms }) => ms <= 0);
    for (const { item } of due.slice(0, CONCURRENCY - underWay.size)) start(item);
    const later = waits.filter(({ ms }) => ms > 0);
    if (later.length > 0) sleep(Math.min(...later.map(({ ms }) => ms)));
  }

  /** What was settled or dropped meanwhile. */
  function forgetAllBut(waiting: ReadonlySet<string>): void {
    for (const id of dueAt.keys()) if (!waiting.has(id)) dueAt.delete(id);
  }

  /** Milliseconds until an item is due. Recorded times count once: for what is new, or left by an earlier process. */
  function waitOf({ id, attempts, nextAttemptAt }: Outgoing): number {
    const recorded = attempts === 0 ? 0 : Math.min(nextAttemptAt - now(), LONGEST_WAIT_MS);
    const at = dueAt.get(id) ?? steady() + recorded;
    dueAt.set(id, at);
    return at - steady();
  }

  function start(item: Outgoing): void {
    const run = attempt(item)
      .catch((error: unknown) => postpone(item, error))
      .then(
        () => finish(item.id, wake),
        // The store itself fails: it stays waiting there, and is tried when that works again.
        () => finish(item.id, () => sleep(timing.baseMs)),
      );
    underWay.set(item.id, run);
  }

  /** After a store error the next try comes soon; an unexpected error is shown on the item and tried again late. */
  function postpone(item: Outgoing, error: unknown): Promise<void> {
    const wait =
      error instanceof HookctlError ? Math.max(timing.settleMs, jitter(item.attempts)) : timing.capMs;
    // As it is recorded now: the try that failed here may have arrived there.
    return again(store.outgoing(item.id) ?? item, { reason: messageOf(error) }, wait);
  }

  function finish(id: string, next: () => void): void {
    underWay.delete(id);
    next();
  }

  function sleep(ms: number): void {
    if (!closed) timer ??= setTimeout(wake, Math.min(LONGEST_SLEEP_MS, ms));
  }

  async function attempt(item: Outgoing): Promise<void> {
    const original = item.edits === null ? null : store.outgoing(item.edits);
    if (original?.status === 'waiting') return again(item, {}, timing.baseMs);
    const planned = await plan(item);
    if ('reason' in planned) return settle(item, { status: 'failed', reason: planned.reason });
    if ('again' in planned) return wait(item, planned.again);
    const { host } = new URL(planned.request.url);
    const blockedUntil = breaker.blockedUntil(host, steady());
    if (blockedUntil !== null) {
      const reason = item.reason ?? `${host} does not answer; it is asked again later`;
      return again(item, { reason }, blockedUntil - steady() + jitter(0));
    }
    const sent = await attemptSend(item, planned, host);
    tellBreaker(host, sent);
    return record({ ...item, attempts: item.attempts + 1 }, sent);
  }

  /** A try that ended before anything of the item was sent. */
  async function wait(item: Outgoing, sent: Extract<Sent, { result: 'again' }>): Promise<void> {
    await store.beginOutgoing(item.id);
    return tryAgain({ ...item, attempts: item.attempts + 1 }, { ...sent, certain: !item.uncertain });
  }

  async function attemptSend(item: Outgoing, planned: Plan, host: string): Promise<Sent> {
    try {
      await store.beginOutgoing(item.id);
      // A person who retries a post that can't be looked for accepts that it may be posted twice.
      const uncertain = item.uncertain && (item.attempts > 0 || planned.find !== null);
      return await send(options, planned, uncertain);
    } catch (error) {
      breaker.failed(host, steady());
      throw error;
    }
  }

  async function plan(
    item: Outgoing,
  ): Promise<Awaited<ReturnType<typeof planOf>> | { readonly reason: string }> {
    try {
      return await planOf(options, item);
    } catch (error) {
      if (!(error instanceof HookctlError)) throw error;
      return { reason: messageOf(error) };
    }
  }

  function tellBreaker(host: string, sent: Sent): void {
    if (sent.result !== 'again') breaker.succeeded(host);
    else if (sent.afterMs !== null) breaker.pause(host, steady() + sent.afterMs);
    else breaker.failed(host, steady());
  }

  function record(item: Outgoing, sent: Sent): Promise<void> {
    switch (sent.result) {
      case 'done':
        return settle(item, { status: 'sent', reason: null, remoteId: sent.id });
      case 'refused':
        return settle(item, { status: 'failed', reason: sent.reason, uncertain: item.uncertain });
      case 'again':
        return tryAgain(item, sent);
      default:
        return sent satisfies never;
    }
  }

  function tryAgain(
    item: Outgoing,
    { reason, afterMs, certain }: Extract<Sent, { result: 'again' }>,
  ): Promise<void> {
    const uncertain = !certain;
    if (item.attempts >= MAX_ATTEMPTS) {
      return settle(item, {
        status: 'failed',
        reason: `given up after ${item.attempts} tries: ${reason}`,
        uncertain,
      });
    }
    const wait = afterMs === null ? jitter(item.attempts) : afterMs + jitter(0);
    return again(item, { reason, uncertain }, Math.max(wait, certain ? 0 : timing.settleMs));
  }

  /** Postpones an item by so many milliseconds. */
  function again(item: Outgoing, changes: Partial<OutgoingNote>, wait: number): Promise<void> {
    dueAt.set(item.id, steady() + wait);
    // The steady clock has fractions of a millisecond, a row has none.
    return note(item, { ...changes, nextAttemptAt: Math.ceil(now() + wait) });
  }

  function jitter(attempt: number): number {
    return fullJitter(attempt, { ...timing, random });
  }

  async function settle(item: Outgoing, changes: Partial<OutgoingNote>): Promise<void> {
    await note(item, { uncertain: false, settledAt: now(), ...changes });
    const settled = store.outgoing(item.id);
    if (settled !== null) options.onSettled(settled);
  }

  function note(item: Outgoing, changes: Partial<OutgoingNote>): Promise<void> {
    const { status, reason, uncertain, nextAttemptAt, remoteId, settledAt } = item;
    return store.noteOutgoing(item.id, {
      ...{ status, reason, uncertain, nextAttemptAt, remoteId, settledAt },
      ...changes,
    });
  }

  return {
    wake,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await Promise.all(underWay.values());
      await options.transport.close();
    },
  };
}
