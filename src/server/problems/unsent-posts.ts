import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { Outgoing } from '../../types.ts';
import type { LastingProblem, ProblemSource } from './problem.ts';

/** An older failure is no news: what came after it was sent, or nothing is posted there any more. */
const RECENT_MS = 24 * 60 * 60 * 1000;
/** Items that are looked through at most. */
const MOST = 200;
/** One failure may be a slow moment of the other side. */
const REPEATED = 3;

/**
 * Each provider to which nothing gets through: posts that wait although they were tried, or several that were given up
 * with none sent since.
 */
export function unsentPosts({ store, now }: ProblemSource): readonly LastingProblem[] {
  const { waiting = 0, failed = 0 } = store.countsByOutgoingStatus();
  return [
    ...(waiting === 0 ? [] : waitingPosts(store.waitingOutgoing(MOST), now)),
    ...(failed === 0 ? [] : failedPosts(store, now)),
  ];
}

function waitingPosts(items: readonly Outgoing[], now: number): readonly LastingProblem[] {
  const tried = items.filter(({ reason }) => reason !== null);
  return [...Map.groupBy(tried, ({ provider }) => provider)].flatMap(([provider, rows]) => {
    const tries = rows.reduce((sum, { attempts }) => sum + attempts, 0);
    const last = rows.find(({ attempts }) => attempts > 0) ?? rows[0];
    if (last === undefined || tries < REPEATED) return [];
    const next = new Date(Math.min(...rows.map(({ nextAttemptAt }) => nextAttemptAt))).toISOString();
    const minutes = Math.floor((now - Math.min(...rows.map(({ createdAt }) => createdAt))) / 60_000);
    const age = minutes < 1 ? '' : `, the oldest for ${minutes} min`;
    const text = `${count(rows.length)} for ${provider} wait${rows.length === 1 ? 's' : ''}${age}, tried ${tries} times: ${escapeInvisibleLine(last.reason ?? '')}. The next try is at ${next}. See hookctl outbox list --status waiting`;
    return [{ key: `outbox-waits:${provider}`, text }];
  });
}

function failedPosts(store: ProblemSource['store'], now: number): readonly LastingProblem[] {
  const since = now - RECENT_MS;
  const recent = store
    .outbox({ status: 'failed', limit: MOST })
    .filter(({ settledAt }) => settledAt !== null && settledAt > since);
  const sent = store.outbox({ status: 'sent', limit: MOST });
  return [...Map.groupBy(recent, ({ provider }) => provider)].flatMap(([provider, rows]) => {
    const lastSent = Math.max(
      0,
      ...sent.filter((item) => item.provider === provider).map(({ settledAt }) => settledAt ?? 0),
    );
    const lost = rows.filter(({ settledAt }) => (settledAt ?? 0) > lastSent);
    const [last] = lost;
    if (last === undefined || lost.length < REPEATED) return [];
    const text = `${count(lost.length)} for ${provider} failed in the last 24 h and none was sent since, the last because ${escapeInvisibleLine(last.reason ?? 'of an unknown reason')}. Send one again: hookctl outbox retry ${last.id}`;
    return [{ key: `outbox-failed:${provider}`, text }];
  });
}

function count(posts: number): string {
  return posts === 1 ? '1 post' : `${posts === MOST ? `${MOST} or more` : posts} posts`;
}
