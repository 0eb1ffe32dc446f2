import type { ApiRequest, SenderApi } from '../connect/api.ts';
import type { LoggedAttempt, PagedLog, SenderLog, Target } from '../connect/connector.ts';

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
  /** Of the hook, in the sender's words. */
  readonly events: readonly string[];
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
export async function readLog(order: LogOrder): Promise<ReadLog> {
  const { log, since, now } = order;
  const isBounded = 'read' in log || log.isBounded === true;
  const attempts = new Map<string, TimedAttempt>();
  let span: Omit<ReadLog, 'deliveries'> | null = null;
  let lastAt = Number.POSITIVE_INFINITY;
  for await (const { answer, attempts: listed } of pagesOf(order)) {
    if (span === null) {
      const told = Date.parse(answer.headers.date ?? '');
      const senderNow = Number.isNaN(told) ? now() : told;
      span = { senderNow, since: since(senderNow) };
    }
    let newestAt = Number.NEGATIVE_INFINITY;
    for (const attempt of listed) {
      // The newest comes first: one without a time was sent before the one that was read before it.
      lastAt = attempt.at ?? Math.min(lastAt, span.senderNow);
      newestAt = Math.max(newestAt, lastAt);
      attempts.set(attempt.id, { ...attempt, at: lastAt });
    }
    if (!isBounded && newestAt < span.since) break;
  }
  const { senderNow, since: from } = span ?? { senderNow: now(), since: since(now()) };
  return { senderNow, since: from, deliveries: grouped([...attempts.values()], from) };
}

function pagesOf({ api, log, target, hookId, events, since, now }: LogOrder) {
  const ageMs = Math.max(0, now() - since(now()));
  return 'read' in log
    ? log.read(api, { ageMs, events, now })
    : pagesIn(api, log, log.attempts(target, hookId, ageMs));
}

async function* pagesIn(api: SenderApi, log: PagedLog, first: ApiRequest) {
  for await (const answer of api.pages(first, log.next)) yield { answer, attempts: log.readAttempts(answer) };
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
