import { messageOf } from '../errors.ts';
import { fullJitter, pause } from '../lib/backoff.ts';
import type { PendingDelivery } from '../store/store.ts';
import type { PipelineContext, Settled } from './context.ts';
import { dispatch } from './dispatch.ts';

/** Deliveries that are worked on at once. Those of one flow never are. */
const CONCURRENCY = 8;
/** A delivery that could not be dispatched this often has failed; `delivery retry` starts anew. */
const MAX_ATTEMPTS = 5;
const BACKOFF = { baseMs: 500, capMs: 60_000 };
const PAGE = 1_000;

/** Works off what is pending: bounded, in order within a flow, again after a failure. */
export interface Queue {
  /** Takes a pending delivery. Resolves when it is settled; null when something else settled it, or at close. */
  push(item: PendingDelivery): Promise<Settled | null>;
  /** Takes everything that the store holds as pending, for the start after a crash. Returns how many. */
  recover(): number;
  readonly depth: () => number;
  /** Takes nothing more and resolves when what runs has ended; what waits stays pending in the store. */
  close(): Promise<void>;
}

interface Entry {
  readonly item: PendingDelivery;
  readonly done: (settled: Settled | null) => void;
}

/** Deliveries of one flow, first come first served. */
type Lane = Entry[];

export interface QueueOptions {
  /** Told of every delivery that was settled here, also of those nobody waits for. */
  readonly onSettled: (settled: Settled) => void;
  /** 0 up to 1, for the jitter. */
  readonly random: () => number;
}

export function createQueue(context: PipelineContext, { onSettled, random }: QueueOptions): Queue {
  const lanes = new Map<string, Lane>();
  const ready: string[] = [];
  const running = new Set<Promise<void>>();
  const stop = new AbortController();

  function push(item: PendingDelivery): Promise<Settled | null> {
    const key = item.externalId ?? item.id;
    return new Promise((done) => {
      const lane = lanes.get(key);
      if (lane !== undefined) return void lane.push({ item, done });
      lanes.set(key, [{ item, done }]);
      ready.push(key);
      pump();
    });
  }

  function pump(): void {
    while (!stop.signal.aborted && running.size < CONCURRENCY) {
      const key = ready.shift();
      if (key === undefined) return;
      const run: Promise<void> = workOne(key).finally(() => {
        running.delete(run);
        pump();
      });
      running.add(run);
    }
  }

  /** One delivery of the lane, then the lane goes to the end of the line: a busy thread starves nobody. */
  async function workOne(key: string): Promise<void> {
    const lane = lanes.get(key);
    const entry = lane?.[0];
    if (lane === undefined || entry === undefined) return;
    const settled = await attempt(entry.item, entry.item.attempts);
    lane.shift();
    entry.done(settled);
    if (lane.length > 0) ready.push(key);
    else lanes.delete(key);
  }

  async function attempt({ id, nextAttemptAt }: PendingDelivery, attempts: number): Promise<Settled | null> {
    if (nextAttemptAt !== null) await pause(Math.max(0, nextAttemptAt - context.clock.now()), stop.signal);
    if (stop.signal.aborted) return null;
    try {
      const settled = await dispatch(context, id);
      if (settled !== null) onSettled(settled);
      return settled;
    } catch (error) {
      return again(id, attempts + 1, messageOf(error));
    }
  }

  async function again(id: string, attempts: number, reason: string): Promise<Settled | null> {
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
    if (delivery?.status === 'pending') return attempt({ ...delivery, nextAttemptAt }, attempts);
    const settled = delivery === null ? null : { delivery, tasks: [] };
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
    recover,
    depth: () => [...lanes.values()].reduce((sum, lane) => sum + lane.length, 0),
    async close() {
      stop.abort();
      await Promise.all(running);
      for (const lane of lanes.values()) for (const { done } of lane) done(null);
    },
  };
}
