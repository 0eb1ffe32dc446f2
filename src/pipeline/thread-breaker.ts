import { actionNamed } from '../actions/index.ts';
import { replyTo } from '../actions/replying.ts';
import { ownText } from '../lib/post-text.ts';
import type { NewOutgoing } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { Match } from './match.ts';
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
 * minutes old. Null: it may run. No loop is a person who replays a delivery, nor commands that make tasks where
 * nothing can be posted: nobody sees them, so nobody answers.
 */
export function pausedThread(
  context: Pick<PipelineContext, 'store' | 'clock' | 'ids' | 'accounts'>,
  occasion: Occasion,
  fired: readonly Match[],
): Pause | null {
  const { store, clock, ids } = context;
  const { delivery, event } = occasion;
  if (fired.length === 0 || event.externalId === null || delivery.replayOf !== null) return null;
  const replies = repliesFor(context, occasion, true);
  const isHeard =
    replies.state === 'on' || fired.some(({ command }) => actionNamed(command.action)?.reachesOut);
  if (!isHeard) return null;
  const since = clock.now() - WINDOW_MS;
  const runs = store.countSettled(event.externalId, { status: 'processed', since });
  if (runs < RUNS) return null;
  const reason = `${PAUSED} ${runs} runs about ${event.externalId} in ${WINDOW_MS / 60_000} minutes; run it with \`hookctl replay ${delivery.id}\``;
  const isFirst = store.countSettled(event.externalId, { status: 'ignored', since, reason: PAUSED }) === 0;
  const content = ownText(
    `hookctl ran ${runs} times here within ${WINDOW_MS / 60_000} minutes and pauses. What is asked meanwhile is recorded and not run.`,
  );
  const notice =
    isFirst && replies.state === 'on' ? [replyTo(ids, replies.place, { kind: 'comment', content })] : [];
  return { reason, notice };
}
