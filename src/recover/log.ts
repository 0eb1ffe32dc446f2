import type { SenderApi } from '../connect/api.ts';
import type { LoggedAttempt, SenderLog, Target } from '../connect/connector.ts';

/** An attempt whose time is known, or taken from the one after it. */
type TimedAttempt = LoggedAttempt & { readonly at: number };

/** A delivery in a sender's log, with all of its attempts. Times are by the sender's clock. */
export interface LoggedDelivery {
  readonly deliveryId: string;
  /** The newest attempt, which is the one to send again. */
  readonly newest: TimedAttempt;
  readonly firstAt: number;
  /** One of its attempts was answered 2xx, here or by another server. */
  readonly hasArrived: boolean;
}

interface LogOrder {
  readonly api: SenderApi;
  readonly log: SenderLog;
  readonly target: Target;
  readonly hookId: string;
  /** From when on, by the sender's clock. Called once, with what that clock says now. */
  readonly since: (senderNow: number) => number;
  readonly now: () => number;
}

/** What a sender's log holds. */
export interface ReadLog {
  /** The oldest first. */
  readonly deliveries: readonly LoggedDelivery[];
  readonly since: number;
  /** What the sender's clock said when the first page was read. */
  readonly senderNow: number;
}

/**
 * Reads a log from its newest entry back to a moment. Entries that come meanwhile push others to later pages, which are
 * then read twice and count once; they themselves are left to the next sweep. Throws `ApiError`.
 */
export async function readLog({ api, log, target, hookId, since, now }: LogOrder): Promise<ReadLog> {
  const attempts = new Map<string, TimedAttempt>();
  let span: Omit<ReadLog, 'deliveries'> | null = null;
  let lastAt = Number.POSITIVE_INFINITY;
  const ageMs = Math.max(0, now() - since(now()));
  for await (const answer of api.pages(log.attempts(target, hookId, ageMs), log.next)) {
    if (span === null) {
      const told = Date.parse(answer.headers.date ?? '');
      const senderNow = Number.isNaN(told) ? now() : told;
      span = { senderNow, since: since(senderNow) };
    }
    let newestAt = Number.NEGATIVE_INFINITY;
    for (const attempt of log.readAttempts(answer)) {
      // The newest comes first: one without a time was sent before the one that was read before it.
      lastAt = attempt.at ?? Math.min(lastAt, span.senderNow);
      newestAt = Math.max(newestAt, lastAt);
      attempts.set(attempt.id, { ...attempt, at: lastAt });
    }
    if (log.isBounded !== true && newestAt < span.since) break;
  }
  const { senderNow, since: from } = span ?? { senderNow: now(), since: since(now()) };
  return { senderNow, since: from, deliveries: grouped([...attempts.values()], from) };
}

/** Deliveries of which an attempt is within the span. */
function grouped(attempts: readonly TimedAttempt[], since: number): readonly LoggedDelivery[] {
  const byDelivery = Map.groupBy(attempts, ({ deliveryId }) => deliveryId);
  return [...byDelivery]
    .flatMap(([deliveryId, all]) => {
      const [oldest, ...later] = all.toSorted((a, b) => a.at - b.at);
      const newest = later.at(-1) ?? oldest;
      if (oldest === undefined || newest === undefined || newest.at < since) return [];
      const hasArrived = all.some((attempt) => attempt.hasArrived);
      return [{ deliveryId, newest, firstAt: oldest.at, hasArrived }];
    })
    .toSorted((a, b) => a.firstAt - b.firstAt);
}
