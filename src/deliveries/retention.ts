import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../lib/time.ts';
import type { BodyFilter, OwnerSelection } from '../store/selection.ts';
import type { Store } from '../store/store.ts';
import type { OwnerLimits } from '../tasks/owner-limits.ts';

/** How much retention keeps. */
export interface RetentionSettings {
  /** Milliseconds. */
  readonly age: number;
  /** Bytes of the log of bodies. */
  readonly size: number;
  /** Rows of deliveries; default 1,000,000. */
  readonly rows?: number;
  /** Whose own times count instead; default: those of no one. */
  readonly owners?: OwnerLimits;
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

interface PruneOptions {
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
  filters: readonly BodyFilter[],
  { size, stop }: PruneOptions,
): Promise<Pruned> {
  const { store } = context;
  const removed = { deliveries: 0, bytes: 0, freedBytes: 0 };
  const goOn = () => stop?.aborted !== true;
  for (const filter of filters)
    while (goOn() && (await step(context, filter, removed))) await delay(PAUSE_MS);
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

/** Which bodies are too old: an owner's own time counts for its deliveries alone. `oldest`: none before it stays, epoch milliseconds. */
export function agedBodies(
  { age, owners = {} }: Pick<RetentionSettings, 'age' | 'owners'>,
  now: number,
  oldest = 0,
): readonly (BodyFilter & { readonly before: number })[] {
  return byOwner(owners, 'bodies', age).map(({ keptMs, ...of }) => ({
    ...of,
    before: Math.max(now - keptMs, oldest),
  }));
}

/** How long what is kept, by whose it is: each owner with a time of its own, and all others. */
function byOwner(
  owners: OwnerLimits,
  what: 'bodies' | 'rows',
  otherwise: number,
): readonly (OwnerSelection & { readonly keptMs: number })[] {
  const own = Object.entries(owners).flatMap(([owner, { retention }]) => {
    const keptMs = retention?.[what];
    return keptMs === undefined ? [] : [{ owner, keptMs }];
  });
  const exceptOwners = own.map(({ owner }) => owner);
  return [{ ...(own.length > 0 && { exceptOwners }), keptMs: otherwise }, ...own];
}

/** Removes rows whose keys are no longer needed, and all that came before `oldest`, epoch milliseconds. */
export async function forget(
  { store, clock }: PruneContext,
  { age, owners = {} }: Pick<RetentionSettings, 'age' | 'owners'>,
  stop?: AbortSignal,
  oldest = 0,
): Promise<void> {
  for (const { keptMs, ...of } of byOwner(owners, 'rows', Math.max(age, KEYS_KEPT_MS))) {
    const before = Math.max(clock.now() - keptMs, oldest);
    while (stop?.aborted !== true && (await store.forgetDeliveries(before, STEP, of)) === STEP)
      await delay(PAUSE_MS);
  }
}
