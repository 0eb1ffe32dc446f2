import type { SenderApi } from '../connect/api.ts';
import type { LoggedAttempt, SenderLog, Target } from '../connect/connector.ts';

/** A delivery in a sender's log, with all of its attempts. Times are by the sender's clock. */
export interface LoggedDelivery {
  readonly deliveryId: string;
  /** The newest attempt, which is the one to send again. */
  readonly newest: LoggedAttempt;
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
  const attempts = new Map<string, LoggedAttempt>();
  let span: Omit<ReadLog, 'deliveries'> | null = null;
  for await (const answer of api.pages(log.attempts(target, hookId), log.next)) {
    if (span === null) {
      const told = Date.parse(answer.headers.date ?? '');
      const senderNow = Number.isNaN(told) ? now() : told;
      span = { senderNow, since: since(senderNow) };
    }
    const page = log.readAttempts(answer);
    for (const attempt of page) attempts.set(attempt.id, attempt);
    const newestAt = Math.max(...page.map(({ at }) => at));
    if (newestAt < span.since) break;
  }
  const { senderNow, since: from } = span ?? { senderNow: now(), since: since(now()) };
  return { senderNow, since: from, deliveries: grouped([...attempts.values()], from) };
}

/** Deliveries of which an attempt is within the span. */
function grouped(attempts: readonly LoggedAttempt[], since: number): readonly LoggedDelivery[] {
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
