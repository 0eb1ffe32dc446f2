import { actionNamed } from '../../actions/index.ts';
import { replyTo } from '../../actions/replying.ts';
import type { Effect } from '../../store/store.ts';
import { ownText } from '../../types/text.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import type { Match } from '../match.ts';
import { repliesFor } from '../run-command.ts';
import { isByPerson } from './senders.ts';

/** Prefix of the reason of a paused delivery; finds out whether the notice was given. */
const PAUSED = 'paused:';

/** Why a thread is paused, and the notice about it. */
interface Pause {
  readonly reason: string;
  /** Empty when it was posted already, or nothing can be posted. */
  readonly notice: readonly Effect[];
}

/**
 * Stops bots that answer each other: after `loopGuard.runs` runs within `loopGuard.within`, commands in the thread do not run until
 * the oldest of these runs is older. Null when the command may run. Texts that people wrote, replays, and commands that post nothing
 * do not count and are not stopped.
 */
export function pausedThread(
  context: Pick<PipelineContext, 'store' | 'clock' | 'accounts' | 'apps' | 'loopGuard'>,
  eventContext: EventContext,
  fired: readonly Match[],
): Pause | null {
  const { store, clock, loopGuard } = context;
  const { delivery, event, index } = eventContext;
  if (fired.length === 0 || event.externalId === null || delivery.replayOf !== null) return null;
  if (isByPerson(event)) return null;
  const replies = repliesFor(context, eventContext, true);
  const isHeard =
    (replies.state === 'on' && !replies.afterApproval) ||
    fired.some(({ command }) => actionNamed(command.action)?.reachesOut);
  if (!isHeard) return null;
  const { owner } = delivery;
  const since = clock.now() - loopGuard.within;
  const runs = store.countSettled(event.externalId, { owner, status: 'processed', since });
  if (runs < loopGuard.runs) return null;
  const span =
    loopGuard.within < 120_000
      ? `${loopGuard.within / 1000} seconds`
      : `${loopGuard.within / 60_000} minutes`;
  const reason = `${PAUSED} ${runs} runs about ${event.externalId} in ${span} that no person's text caused (\`loopGuard\`); run it with \`hookctl replay ${delivery.id}\``;
  const isFirst =
    store.countSettled(event.externalId, { owner, status: 'ignored', since, reason: PAUSED }) === 0;
  const content = ownText(
    `hookctl ran ${runs} times here within ${span} for bots, apps or automatic changes, and pauses for them. What they ask meanwhile is recorded and not run. What a person writes still runs; \`hookctl replay ${delivery.id}\` runs this one; \`loopGuard\` in webhooks.yml sets the bound.`,
  );
  const ids = eventContext.ids(index, '@pause');
  const notice =
    isFirst && replies.state === 'on'
      ? [{ kind: 'post' as const, item: replyTo(ids, replies.place, { kind: 'comment', content }) }]
      : [];
  return { reason, notice };
}
