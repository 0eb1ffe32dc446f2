import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { NO_WEBHOOK } from '../../types.ts';
import type { LastingProblem, ProblemSource } from './problem.ts';

/** An older refusal is no news: senders that still matter have tried again. */
const RECENT_MS = 24 * 60 * 60 * 1000;
/** Refusals that are looked through at most. */
const MOST = 200;

/**
 * Each endpoint whose newest requests were refused, until one is accepted there: a wrong secret or address shows nowhere
 * else while the sender only notes an error.
 */
export function refusedRequests({ store, now }: ProblemSource): readonly LastingProblem[] {
  const refused = store
    .deliveries({ status: 'rejected', limit: MOST })
    .filter(({ receivedAt }) => receivedAt > now - RECENT_MS);
  return [...Map.groupBy(refused, ({ webhook }) => webhook)].flatMap(([webhook, rows]) => {
    const [last] = store.deliveries({ webhook, limit: 1 });
    if (last?.status !== 'rejected') return [];
    const count = rows.length === MOST ? `${MOST} or more` : String(rows.length);
    const requests = rows.length === 1 ? '1 request was' : `${count} requests were`;
    const whose = webhook === NO_WEBHOOK ? 'No webhook' : webhook;
    const why = shorten(escapeInvisibleLine(last.reason ?? 'of an unknown reason'), 260);
    const text = `${whose}: ${requests} refused in the last 24 h, the last because ${why}. See hookctl explain ${last.id}`;
    return [{ key: `refused:${webhook}`, text, printed: true }];
  });
}
