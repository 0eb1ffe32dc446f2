import type { Effect } from '../../store/store.ts';
import { type EventContext, isFirstHand, type PipelineContext } from '../context.ts';
import { actKey, saidKey } from '../dedupe-keys.ts';
import type { Matching } from '../match.ts';

/**
 * Why a text neither commands nor steers: it may have run before the newest restore, or it commanded, answered or steered at
 * another webhook. Its webhook's triggers run. Null when the text counts.
 */
export function whyTextIsOver(
  context: Pick<PipelineContext, 'store'>,
  eventContext: EventContext,
): string | null {
  return beforeRestore(context, eventContext) ?? heardElsewhere(context, eventContext);
}

/** One task for each mention: a text of which a command ran runs none again, in whichever order its edits come. */
export function withoutRepeated(
  { store }: Pick<PipelineContext, 'store'>,
  { event, delivery }: EventContext,
  { matches, ignored }: Matching,
): Matching {
  const said = event.text !== null && isFirstHand(delivery) ? saidKey(delivery, event) : null;
  const holder = said === null ? null : store.holderOf(said);
  if (holder === null || holder === delivery.id) return { matches, ignored };
  return withoutTexts({ matches, ignored }, `a command of this text has run before (${holder})`);
}

/** Commands of the text do not run, for this reason; triggers do. */
export function withoutTexts({ matches, ignored }: Matching, reason: string): Matching {
  const left = matches.map((each) =>
    each.command.kind === 'text' ? { ...each, fired: false, reason } : each,
  );
  return { matches: left, ignored: left.some(({ fired }) => fired) ? ignored : reason };
}

/** Claims the text for this webhook: no other one hears it again, and no edit of it runs a command again. */
export function claimText({ event, delivery }: EventContext, isCommand: boolean): readonly Effect[] {
  const keys = [
    isCommand ? saidKey(delivery, event) : null,
    isFirstHand(delivery) ? actKey(delivery, event) : null,
  ];
  return keys.flatMap((key) => (key === null ? [] : [{ kind: 'claim' as const, key }]));
}

/**
 * A backup does not hold the keys of what came after it: a text that was written before the newest restore may have run already.
 */
function beforeRestore(
  { store }: Pick<PipelineContext, 'store'>,
  { event, delivery }: EventContext,
): string | null {
  const { text, writtenAt = null } = event;
  if (text === null || writtenAt === null || !isFirstHand(delivery)) return null;
  const [restore] = store.audit({ what: 'backup.restore', limit: 1 });
  if (restore === undefined) return null;
  const restoredAt = restore.at;
  if (writtenAt >= restoredAt || delivery.receivedAt < restoredAt) return null;
  return `the text was written before the restore of ${new Date(restoredAt).toISOString()} and may have run already; if it did not: \`hookctl replay ${delivery.id}\``;
}

function heardElsewhere(
  { store }: Pick<PipelineContext, 'store'>,
  { event, delivery }: EventContext,
): string | null {
  const key = isFirstHand(delivery) ? actKey(delivery, event) : null;
  const holder = key === null ? null : store.holderOf(key);
  return holder === null || holder === delivery.id ? null : `the same as ${holder}`;
}
