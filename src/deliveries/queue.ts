import { failure, messageOf } from '../errors.ts';
import { createKeyLock } from '../lib/key-lock.ts';
import { fullJitter, pause } from '../lib/time.ts';
import { timeSlicer } from '../lib/time-slicer.ts';
import type { PendingDelivery } from '../store/store.ts';
import type { DispatchResult, PipelineContext } from './context.ts';
import { dispatch, type ParsedDelivery } from './dispatch.ts';

/** Deliveries that are worked on at once. Those of one flow never are. */
const CONCURRENCY = 8;
/** Those that are worked on, and those whose outcome is on its way to the disk: it goes there in large groups. */
const UNDER_WAY = 256;
/** A delivery that could not be dispatched this often has failed; `delivery retry` starts anew. */
const MAX_ATTEMPTS = 5;
const BACKOFF = { baseMs: 500, capMs: 60_000 };
const PAGE = 1_000;
/** More are refused: what is accepted is promised to be worked off, and each takes memory until then. */
export const LONGEST_QUEUE = 100_000;
/** Bytes of deliveries that are kept at hand; those of a longer queue are read back when their turn comes. */
const AT_HAND_BYTES = 8 * 1024 * 1024;

/** Works off what is pending: bounded, in order within a flow, again after a failure. */
export interface Queue {
  /** Takes a pending delivery. Resolves when it is settled; null when something else settled it, or at close. */
  push(item: PendingDelivery, arrived?: ParsedDelivery): Promise<DispatchResult | null>;
  /** Tells of a delivery that was at its end before it could come here. */
  passBy(settled: DispatchResult): void;
  /** Takes everything that the store holds as pending, for the start after a crash. Returns how many. */
  recover(): number;
  readonly depth: () => number;
  /** Throws `queue_full` while so much waits that more must not be promised. */
  requireRoom(): void;
  /** Takes nothing more and resolves when what runs has ended; what waits stays pending in the store. */
  close(): Promise<void>;
}

interface Entry {
  readonly item: PendingDelivery;
  readonly arrived: ParsedDelivery | null;
  readonly done: (settled: DispatchResult | null) => void;
}

/** Deliveries of one flow, first come first served. */
type Lane = Entry[];

interface QueueOptions {
  /** Told of every delivery that was settled here, also of those nobody waits for. */
  readonly onSettled: (settled: DispatchResult) => void;
  /** 0 up to 1, for the jitter. */
  readonly random: () => number;
  /** How many may wait, default 100,000. */
  readonly longest?: number;
}

export function createQueue(
  context: PipelineContext,
  { onSettled, random, longest = LONGEST_QUEUE }: QueueOptions,
): Queue {
  const lanes = new Map<string, Lane>();
  const ready: string[] = [];
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  const inTurns = timeSlicer();
  const oneActAtATime = createKeyLock();
  let isStarting = false;
  let depth = 0;
  let atHand = 0;
  let working = 0;
  /** Those whose pause is over while all places are taken. */
  const waiting: (() => void)[] = [];

  function push(item: PendingDelivery, fresh?: ParsedDelivery): Promise<DispatchResult | null> {
    const key = laneOf(item, fresh);
    const bytes = fresh?.delivery.size ?? 0;
    const arrived = atHand + bytes > AT_HAND_BYTES ? null : (fresh ?? null);
    if (arrived !== null) atHand += bytes;
    depth += 1;
    return new Promise((done) => {
      const lane = lanes.get(key);
      if (lane !== undefined) return void lane.push({ item, arrived, done });
      lanes.set(key, [{ item, arrived, done }]);
      ready.push(key);
      pump();
    });
  }

  /** Starts what there is a place for, in turns: a sender who waits for an answer comes before what is promised already. */
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
    const run: Promise<void> = workOne(key).finally(() => {
      running.delete(run);
      pump();
    });
    running.add(run);
  }

  /** One delivery of the lane, then the lane goes to the end of the line: a busy thread starves nobody. */
  async function workOne(key: string): Promise<void> {
    const lane = lanes.get(key);
    const entry = lane?.[0];
    if (lane === undefined || entry === undefined) return;
    const leave = once(() => {
      lane.shift();
      atHand -= entry.arrived?.delivery.size ?? 0;
      if (lane.length > 0) ready.push(key);
      else lanes.delete(key);
    });
    // What came to nothing need not be on disk before the next one of its flow is looked at.
    const settled = await attempt(entry.item, entry.item.attempts, entry.arrived, (quiet) => {
      if (quiet) leave();
    });
    leave();
    depth -= 1;
    entry.done(settled);
  }

  async function attempt(
    { id, nextAttemptAt }: PendingDelivery,
    attempts: number,
    arrived: ParsedDelivery | null,
    worked: (quiet: boolean) => void,
  ): Promise<DispatchResult | null> {
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
      const settled = await dispatch(context, id, {
        arrived,
        inTurn: oneActAtATime,
        worked(quiet) {
          worked(quiet);
          free();
        },
      });
      if (settled !== null) onSettled(settled);
      return settled;
    } catch (error) {
      free();
      return again(id, attempts + 1, messageOf(error), worked);
    }
  }

  /** In ms, for a timer that no clock can set back; a clock that was changed meanwhile costs a minute at most. */
  function waitFor(dueAt: number): number {
    return Math.min(BACKOFF.capMs, Math.max(0, dueAt - context.clock.now()));
  }

  async function again(
    id: string,
    attempts: number,
    reason: string,
    worked: (quiet: boolean) => void,
  ): Promise<DispatchResult | null> {
    const { store, clock } = context;
    const nextAttemptAt = clock.now() + fullJitter(attempts, { ...BACKOFF, random });
    try {
      if (attempts < MAX_ATTEMPTS) await store.postpone(id, reason, nextAttemptAt);
      else
        await store.settle({
          deliveryId: id,
          status: 'failed',
          reason,
          decisions: [],
          tasks: [],
          outgoing: [],
          answers: [],
          approvals: [],
          settledAt: clock.now(),
        });
    } catch {
      // The store itself is what fails: nothing can be noted, and the delivery is still pending on disk.
    }
    const delivery = store.delivery(id);
    if (delivery?.status === 'pending')
      return attempt({ ...delivery, nextAttemptAt }, attempts, null, worked);
    // What was recorded before it failed is not known here: whoever waits for tasks or posts has to look.
    const settled = delivery === null ? null : { delivery, tasks: [], quiet: false };
    if (settled !== null) onSettled(settled);
    return settled;
  }

  function recover(): number {
    let count = 0;
    let after: string | null = null;
    for (;;) {
      const page = context.store.pending(after, PAGE);
      for (const item of page) void push(item);
      count += page.length;
      after = page.at(-1)?.id ?? null;
      if (page.length < PAGE) return count;
    }
  }

  return {
    push,
    passBy: onSettled,
    recover,
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

/** A subject that is renamed keeps its lane; what names a transfer waits for what was said before it. */
function laneOf({ id, externalId }: PendingDelivery, arrived: ParsedDelivery | undefined): string {
  const event = arrived?.parsed.ok === true ? arrived.parsed.events[0] : undefined;
  return event?.stableIds?.at(-1) ?? externalId ?? id;
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
