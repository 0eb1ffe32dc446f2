import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../lib/time.ts';
import type { BodyFilter } from '../store/selection.ts';
import type { Store } from '../store/store.ts';

/** How much retention keeps. */
export interface RetentionSettings {
  /** Milliseconds. */
  readonly age: number;
  /** Bytes of the log of bodies. */
  readonly size: number;
  /** Rows of deliveries; default 1,000,000. */
  readonly rows?: number;
}

/** The result of a pruning. */
interface Pruned {
  /** Deliveries whose bytes went. */
  readonly deliveries: number;
  /** Bytes as received. */
  readonly bytes: number;
  /** Bytes that the disk got back; a segment of the log goes when nothing in it is needed any more. */
  readonly freedBytes: number;
}

export interface PruneOptions extends BodyFilter {
  /** Bytes of log beyond which the oldest bodies go as well, however young. Null when there is no limit. */
  readonly size: number | null;
  readonly stop?: AbortSignal;
}

type PruneContext = { readonly store: Store; readonly clock: Clock };

/** Deliveries of one step, which takes the writer a few milliseconds; other writes run between two steps. */
const STEP = 200;
const PAUSE_MS = 10;
/** How long a delivery's keys are kept after its bytes are gone, so that a second one does not run. */
const KEYS_KEPT_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * Removes the bytes of deliveries that were worked off, and what was sent for them, in small steps beside the traffic.
 * What is pending, or still has something to send, stays. Rows stay, too: they say what happened.
 */
export async function prune(
  context: PruneContext,
  { before, samples = false, size, stop }: PruneOptions,
): Promise<Pruned> {
  const { store } = context;
  const removed = { deliveries: 0, bytes: 0, freedBytes: 0 };
  const goOn = () => stop?.aborted !== true;
  while (goOn() && (await step(context, { before, samples }, removed))) await delay(PAUSE_MS);
  removed.freedBytes += (await store.sweepLog()).bytes;
  while (
    size !== null &&
    goOn() &&
    store.logBytes() > size &&
    (await step(context, { before: null }, removed))
  ) {
    removed.freedBytes += (await store.sweepLog()).bytes;
    await delay(PAUSE_MS);
  }
  return removed;
}

interface Removed {
  deliveries: number;
  bytes: number;
}

async function step({ store, clock }: PruneContext, filter: BodyFilter, removed: Removed): Promise<boolean> {
  const bodies = store.prunable(filter, STEP);
  if (bodies.length === 0) return false;
  const ids = bodies.map(({ id }) => id);
  removed.deliveries += await store.removeBodies(ids, clock.now());
  removed.bytes += bodies.reduce((sum, { size }) => sum + size, 0);
  return true;
}

/** Removes rows whose keys are no longer needed, and all that came before `oldest`, epoch milliseconds. */
export async function forget(
  { store, clock }: PruneContext,
  age: number,
  stop?: AbortSignal,
  oldest = 0,
): Promise<void> {
  const before = Math.max(clock.now() - Math.max(age, KEYS_KEPT_MS), oldest);
  while (stop?.aborted !== true && (await store.forgetDeliveries(before, STEP)) === STEP)
    await delay(PAUSE_MS);
}
