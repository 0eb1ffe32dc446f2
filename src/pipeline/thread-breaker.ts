import { replyTo } from '../actions/replying.ts';
import type { NewOutgoing } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { Occasion } from './occasion.ts';
import { repliesFor } from './replies.ts';

/** Deliveries about one thread that may run commands within the window; a loop is faster than people are. */
const RUNS = 3;
const WINDOW_MS = 600_000;
/** How the reason of a delivery begins that was not run; by it the notice is known to be given. */
const PAUSED = 'paused:';

/** Why a thread is paused, and the one notice about it. */
export interface Pause {
  readonly reason: string;
  /** Empty where it was said already, or nothing can be posted. */
  readonly notice: readonly NewOutgoing[];
}

/**
 * The breaker of a thread: after three runs in ten minutes nothing more runs there, until the first of them is ten
 * minutes old. Null: it may run. A person who replays a delivery is no loop.
 */
export function pausedThread(
  context: Pick<PipelineContext, 'store' | 'clock' | 'ids' | 'accounts'>,
  occasion: Occasion,
): Pause | null {
  const { store, clock, ids } = context;
  const { delivery, event } = occasion;
  if (event.externalId === null || delivery.replayOf !== null) return null;
  const since = clock.now() - WINDOW_MS;
  const runs = store.countSettled(event.externalId, { status: 'processed', since });
  if (runs < RUNS) return null;
  const reason = `${PAUSED} ${runs} runs about ${event.externalId} in ${WINDOW_MS / 60_000} minutes; run it with \`hookctl replay ${delivery.id}\``;
  const replies = repliesFor(context, occasion, true);
  const isFirst = store.countSettled(event.externalId, { status: 'ignored', since, reason: PAUSED }) === 0;
  const content = `hookctl ran ${runs} times here within ${WINDOW_MS / 60_000} minutes and pauses. What is asked meanwhile is recorded and not run.`;
  const notice =
    isFirst && replies.state === 'on' ? [replyTo(ids, replies.place, { kind: 'comment', content })] : [];
  return { reason, notice };
}
