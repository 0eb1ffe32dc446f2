import { failure, messageOf } from '../errors.ts';
import { createKeyLock } from '../lib/key-lock.ts';
import { fullJitter, pause } from '../lib/time.ts';
import { timeSlicer } from '../lib/time-slicer.ts';
import type { PendingDelivery } from '../store/selection.ts';
import type { DispatchResult, Held, PipelineContext } from './context.ts';
import { dispatch } from './dispatch.ts';
import type { ParsedDelivery } from './settle.ts';

/** Deliveries that are worked on at once. Those of one flow never are. */
const CONCURRENCY = 8;
/** Deliveries in work, and those whose outcome is being written: outcomes are written in large groups. */
const UNDER_WAY = 256;
/** A delivery that could not be dispatched this often has failed; `delivery retry` starts anew. */
const MAX_ATTEMPTS = 5;
const BACKOFF = { baseMs: 500, capMs: 60_000 };
const PAGE = 1_000;
/** Longer queues are refused: every accepted delivery has to be worked off, and takes memory until then. */
export const LONGEST_QUEUE = 100_000;
/** Bytes of parsed deliveries that are kept in memory; those of a longer queue are read back when their turn comes. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

/** Works off what is pending: bounded, in order within a flow, again after a failure. */
export interface Queue {
  /** Takes a pending delivery. Resolves when its outcome is recorded; null at close. */
  push(item: PendingDelivery, parsedDelivery?: ParsedDelivery): Promise<DispatchResult | null>;
  /** Reports a delivery whose outcome was recorded at accept, so that it was never queued. */
  passBy(result: DispatchResult): void;
  /** Takes everything that the store holds as pending, for the start after a crash. Returns how many. */
  recover(): number;
  /** Takes a pending delivery that another machine left; the store says when it is its turn within its thread. */
  takeOver(item: PendingDelivery): void;
  /** Looks again at what waits for other machines. */
  wake(): void;
  readonly depth: () => number;
  /** Throws `queue_full` while so much waits that more must not be promised. */
  requireRoom(): void;
  /** Starts nothing more; resolves when running dispatches have ended. The rest stays pending in the store. */
  close(): Promise<void>;
}

interface Entry {
  readonly item: PendingDelivery;
  readonly parsedDelivery: ParsedDelivery | null;
  readonly done: (result: DispatchResult | null) => void;
}

/** Deliveries of one flow, first come first served. */
type Lane = Entry[];

interface QueueOptions {
  /** Called with every delivery whose outcome was recorded here, also with those that no caller waits for. */
  readonly onResult: (result: DispatchResult) => void;
  /** 0 up to 1, for the jitter. */
  readonly random: () => number;
  /** How many may wait, default 100,000. */
  readonly longest?: number;
}

export function createQueue(
  context: PipelineContext,
  { onResult, random, longest = LONGEST_QUEUE }: QueueOptions,
): Queue {
  const lanes = new Map<string, Lane>();
  const ready: string[] = [];
  const running = new Set<Promise<void>>();
  /** Deliveries that wait for others of their flow, by id. */
  const held = new Map<string, Entry>();
  /** Lanes whose first delivery waits for one of another machine. */
  const later = new Set<string>();
  const stop = new AbortController();
  const inTurns = timeSlicer();
  const oneActAtATime = createKeyLock();
  let isStarting = false;
  let depth = 0;
  let keptBytes = 0;
  let working = 0;
  /** Retries whose pause is over and that wait for a free slot. */
  const waiting: (() => void)[] = [];

  function push(
    item: PendingDelivery,
    fresh?: ParsedDelivery,
    key = laneOf(item, fresh),
  ): Promise<DispatchResult | null> {
    const bytes = fresh?.delivery.size ?? 0;
    const parsedDelivery = keptBytes + bytes > MOST_KEPT_BYTES ? null : (fresh ?? null);
    if (parsedDelivery !== null) keptBytes += bytes;
    depth += 1;
    return new Promise((done) => {
      const lane = lanes.get(key);
      if (lane !== undefined) return void lane.push({ item, parsedDelivery, done });
      lanes.set(key, [{ item, parsedDelivery, done }]);
      ready.push(key);
      pump();
    });
  }

  /** Starts deliveries while there is room, a few milliseconds at a time: requests have priority over background work. */
  function pump(): void {
    if (isStarting || ready.length === 0 || !hasPlace()) return;
    isStarting = true;
    inTurns(() => {
      isStarting = false;
      startOne();
      pump();
    });
  }

  function hasPlace(): boolean {
    return !stop.signal.aborted && working < CONCURRENCY && running.size < UNDER_WAY;
  }

  function startOne(): void {
    const key = hasPlace() ? ready.shift() : undefined;
    if (key === undefined) return;
    const run: Promise<void> = workOne(key)
      .catch(() => {
        // The store can't be read: it is tried again.
        later.add(key);
      })
      .finally(() => {
        running.delete(run);
        pump();
      });
    running.add(run);
  }

  /** Works off one delivery of the lane, then requeues the lane last, so that a busy thread does not delay the others. */
  async function workOne(key: string): Promise<void> {
    const lane = lanes.get(key);
    const entry = lane?.[0];
    if (lane === undefined || entry === undefined) return;
    const turn = context.store.shared?.turnOf(entry.item.id) ?? 'now';
    if (turn === 'later') return void later.add(key);
    const leave = once(() => {
      lane.shift();
      keptBytes -= entry.parsedDelivery?.delivery.size ?? 0;
      if (lane.length > 0) ready.push(key);
      else lanes.delete(key);
      pump();
    });
    const result =
      turn === 'elsewhere'
        ? null
        : await attempt(entry.item, entry.item.attempts, entry.parsedDelivery, leave);
    leave();
    if (isHeld(result)) return hold(entry, result.heldUntil);
    depth -= 1;
    entry.done(result ?? takenAlong(entry.item));
  }

  /** The result of a delivery that another one of its group has taken along, and reported. */
  function takenAlong({ id }: PendingDelivery): DispatchResult | null {
    const delivery = stop.signal.aborted ? null : readOrNull(() => context.store.delivery(id));
    return delivery === null || delivery.status === 'pending' ? null : { delivery, tasks: [], quiet: true };
  }

  /** Puts a delivery that waits for others of its flow aside until then; it takes no place meanwhile. */
  function hold(entry: Entry, until: number): void {
    const { item, done } = entry;
    const { id } = item;
    held.set(id, entry);
    void pause(waitFor(until), stop.signal).then(() => {
      if (held.get(id) !== entry) return;
      held.delete(id);
      if (stop.signal.aborted) return done(null);
      const key = `held ${id}`;
      lanes.set(key, [{ item: { ...item, nextAttemptAt: null }, parsedDelivery: null, done }]);
      ready.push(key);
      pump();
    });
  }

  /** Reports a result, and those of deliveries that were worked off with it while they waited. */
  function report(result: DispatchResult): void {
    for (const each of result.also ?? []) {
      onResult(each);
      const entry = held.get(each.delivery.id);
      if (entry === undefined) continue;
      held.delete(each.delivery.id);
      depth -= 1;
      entry.done(each);
    }
    onResult(result);
  }

  async function attempt(
    { id, nextAttemptAt }: PendingDelivery,
    attempts: number,
    parsedDelivery: ParsedDelivery | null,
    leave: () => void,
  ): Promise<DispatchResult | Held | null> {
    if (nextAttemptAt !== null) {
      await pause(waitFor(nextAttemptAt), stop.signal);
      while (working >= CONCURRENCY) await new Promise<void>((resume) => waiting.push(resume));
    }
    if (stop.signal.aborted) return null;
    working += 1;
    const free = once(() => {
      working -= 1;
      const resume = waiting.shift() ?? pump;
      resume();
    });
    try {
      const result = await dispatch(context, id, {
        parsedDelivery,
        inTurn: oneActAtATime,
        worked(quiet) {
          // An outcome without visible effects need not be on disk before the next delivery of the flow starts.
          if (quiet) leave();
          free();
        },
        recorded: leave,
      });
      if (result !== null && !isHeld(result)) report(result);
      return result;
    } catch (error) {
      free();
      return again(id, attempts + 1, messageOf(error), leave);
    }
  }

  /** In ms, for a monotonic timer; a changed system clock delays a retry by a minute at most. */
  function waitFor(dueAt: number): number {
    return Math.min(BACKOFF.capMs, Math.max(0, dueAt - context.clock.now()));
  }

  async function again(
    id: string,
    attempts: number,
    reason: string,
    leave: () => void,
  ): Promise<DispatchResult | Held | null> {
    const { store, clock } = context;
    const nextAttemptAt = clock.now() + fullJitter(attempts, { ...BACKOFF, random });
    try {
      if (attempts < MAX_ATTEMPTS) await store.postpone(id, reason, nextAttemptAt);
      else
        await store.recordOutcome({
          deliveryId: id,
          status: 'failed',
          reason,
          decisions: [],
          effects: [],
          settledAt: clock.now(),
        });
    } catch {
      // The store itself fails: nothing can be recorded, and the delivery stays pending on disk.
    }
    // The index may be what fails: the delivery is in the log, and gets its row when that works again.
    await store.indexed().catch(() => undefined);
    const delivery = await patiently(() => store.delivery(id));
    if (delivery?.status === 'pending')
      return stop.signal.aborted ? null : attempt({ ...delivery, nextAttemptAt }, attempts, null, leave);
    // An outcome may have been recorded before the error: `quiet` is false, so that tasks and posts are looked for.
    const result = delivery === null ? null : { delivery, tasks: [], quiet: false };
    if (result !== null) onResult(result);
    return result;
  }

  /** Reads from a store that may be away for a while; null at close. */
  async function patiently<T>(read: () => T | null): Promise<T | null> {
    while (!stop.signal.aborted) {
      try {
        return read();
      } catch {
        await pause(BACKOFF.baseMs, stop.signal);
      }
    }
    return readOrNull(read);
  }

  function takeOver(item: PendingDelivery): void {
    void push(item, undefined, `left ${item.id}`);
  }

  function wake(): void {
    if (later.size === 0) return;
    const heads = [...later].map((key) => [key, lanes.get(key)?.[0]?.item.id ?? ''] as const);
    const turns = context.store.shared?.turnsOf(heads.map(([, id]) => id));
    for (const [key, id] of heads) {
      if (turns?.get(id) === 'later') continue;
      later.delete(key);
      ready.push(key);
    }
    pump();
  }

  function recover(): number {
    let count = 0;
    let after: string | null = null;
    for (;;) {
      const page = context.store.pending(after, PAGE);
      for (const item of page) {
        if (context.store.shared?.turnOf(item.id) === 'elsewhere') continue;
        count += 1;
        if (item.attempts > 0 || item.nextAttemptAt === null) {
          if (context.store.shared == null) void push(item);
          else takeOver(item);
        } else {
          depth += 1;
          hold({ item, parsedDelivery: null, done: noop }, item.nextAttemptAt);
        }
      }
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) return count;
    }
  }

  return {
    push,
    passBy: onResult,
    recover,
    takeOver,
    wake,
    depth: () => depth,
    requireRoom() {
      if (depth < longest) return;
      throw failure('queue_full', `${depth} deliveries wait already`, {
        fix: 'See what holds them up: hookctl delivery list --status pending',
      });
    },
    async close() {
      stop.abort();
      await Promise.all(running);
      for (const lane of lanes.values()) for (const { done } of lane) done(null);
    },
  };
}

/** By the subject's stable id: a renamed subject keeps its lane, and a transfer waits for the deliveries before it. */
function laneOf({ id, externalId }: PendingDelivery, parsedDelivery: ParsedDelivery | undefined): string {
  const event = parsedDelivery?.parsed.ok === true ? parsedDelivery.parsed.events[0] : undefined;
  return event?.stableIds?.at(-1) ?? externalId ?? id;
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

const noop = () => undefined;

function readOrNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function isHeld(result: DispatchResult | Held | null): result is Held {
  return result !== null && 'heldUntil' in result;
}
