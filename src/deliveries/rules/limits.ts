import { createTokenBucket, type RateLimit, type TokenBucket } from '../../lib/limits.ts';
import { type OwnerLimits, placeOf } from '../../tasks/owner-limits.ts';
import type { Webhook } from '../../types.ts';

/**
 * What fails verification may cost this many rows and log lines a second, all webhooks together: enough to see why a
 * sender is refused, nothing to flood a disk with. The answer is the same 401 either way, for it tells a stranger
 * nothing, and some senders drop a URL that does not give it.
 */
const REFUSALS: RateLimit = { perSecond: 10, burst: 200 };

/** The same for requests that reach no webhook: scanners find a public address within minutes. */
const UNROUTED: RateLimit = { perSecond: 1, burst: 50 };

/** Rate limits of requests. */
export interface Limits {
  /**
   * Asked for each request that was verified: only who knows the secret can use up a webhook's bucket. Null when it may
   * enter; else the seconds after which to try again, and which setting says so.
   */
  waitFor(
    webhook: Pick<Webhook, 'name' | 'owner'>,
  ): { readonly seconds: number; readonly setting: string } | null;
  /** Asked for each request that was not verified: whether it is written down. */
  mayRecordRefusal(): boolean;
  /** Asked for each request that reached no webhook: whether it is written down. */
  mayRecordUnrouted(): boolean;
}

export function createLimits(
  rateLimit: RateLimit,
  owners: OwnerLimits = {},
  now: () => number = () => performance.now(),
): Limits {
  const refusals = createTokenBucket(REFUSALS, now);
  const unrouted = createTokenBucket(UNROUTED, now);
  const buckets = new Map<string, TokenBucket>();
  const ofOwners = new Map(
    Object.entries(owners).flatMap(([name, limits]) =>
      limits.rateLimit === undefined ? [] : [[name, createTokenBucket(limits.rateLimit, now)] as const],
    ),
  );
  return {
    waitFor({ name, owner }) {
      let bucket = buckets.get(name);
      if (bucket === undefined) {
        bucket = createTokenBucket(rateLimit, now);
        buckets.set(name, bucket);
      }
      const own = Math.ceil(bucket.take() / 1000);
      if (own > 0) return { seconds: own, setting: 'ingress.rateLimit' };
      const seconds = Math.ceil((ofOwners.get(owner)?.take() ?? 0) / 1000);
      return seconds === 0 ? null : { seconds, setting: placeOf(owner, 'rateLimit') };
    },
    mayRecordRefusal: () => refusals.take() === 0,
    mayRecordUnrouted: () => unrouted.take() === 0,
  };
}
