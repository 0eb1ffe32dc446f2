import type { DeliveryOutcome } from '../store/store.ts';
import type { Decision } from '../types.ts';
import { subjectNames } from './aliases.ts';
import type { PipelineContext } from './context.ts';
import { actKey, saidKey } from './dedupe-keys.ts';
import { type EventContext, isFirstHand } from './event-context.ts';
import { type Matching, match } from './match.ts';
import { pausedThread } from './rules/loop-guard.ts';
import { type CommandResult, decide, runCommand } from './run-command.ts';
import { answered } from './steering/answer.ts';
import { approved } from './steering/approve.ts';
import { stopped } from './steering/stop.ts';

/** What one event comes to. */
export interface EventOutcome
  extends Pick<
    DeliveryOutcome,
    'decisions' | 'tasks' | 'outgoing' | 'answers' | 'approvals' | 'stops' | 'aliases' | 'places' | 'said'
  > {
  /** Why nothing fired; null when something did. */
  readonly ignored: string | null;
}

/**
 * Steps 6 and 7 for one event: an approval, a stop or an answer first, then what its commands say, unless the thread is
 * paused.
 */
export async function workEvent(context: PipelineContext, occasion: EventContext): Promise<EventOutcome> {
  const forgotten = beforeRestore(context, occasion) ?? heardElsewhere(context, occasion);
  if (forgotten !== null) {
    const left = match(occasion.webhook, occasion.event, occasion.delivery.trust ?? 'unverified');
    const ran = await runCommands(context, occasion, refused(left, forgotten));
    return { ...ran, ...subjectNames(context, occasion, ran.tasks, false) };
  }
  const approval = approved(context, occasion);
  const stop = approval === null ? stopped(context, occasion) : null;
  const answer = approval === null && stop === null ? answered(context, occasion) : null;
  const matching = match(occasion.webhook, occasion.event, occasion.delivery.trust ?? 'unverified');
  const isSaid = approval !== null || stop !== null || answer !== null;
  const commands = isSaid ? withoutTexts(matching) : withoutRepeated(context, occasion, matching);
  const ran = await runCommands(context, occasion, commands);
  const outcome = { ...ran, ...subjectNames(context, occasion, ran.tasks, isSaid) };
  if (approval !== null) {
    const { taskId, decision } = approval;
    return {
      ...outcome,
      decisions: [decision, ...outcome.decisions],
      approvals: taskId === null ? [] : [taskId],
      said: taskId === null ? [] : heardKeys(occasion),
      ignored: taskId === null ? decision.reason : null,
    };
  }
  if (stop !== null) {
    const { changes, decision } = stop;
    return {
      ...outcome,
      decisions: [decision, ...outcome.decisions],
      stops: changes,
      said: changes.length === 0 ? [] : heardKeys(occasion),
      ignored: changes.length === 0 ? decision.reason : null,
    };
  }
  if (answer === null) return outcome;
  return {
    ...outcome,
    decisions: [answer.decision, ...outcome.decisions],
    answers: [answer.answer],
    said: heardKeys(occasion),
    ignored: null,
  };
}

async function runCommands(
  context: PipelineContext,
  occasion: EventContext,
  { matches, ignored }: Matching,
): Promise<EventOutcome> {
  const fired = matches.filter((each) => each.fired);
  const pause = pausedThread(context, occasion, fired);
  if (pause !== null) {
    const decisions = matches.map((each) => decide(occasion, each, { fired: false, reason: pause.reason }));
    return {
      decisions,
      tasks: [],
      outgoing: pause.notice,
      answers: [],
      approvals: [],
      ignored: pause.reason,
    };
  }
  const acts: CommandResult[] = [];
  for (const each of matches) acts.push(await runCommand(context, occasion, each));
  return {
    decisions: acts.map(({ decision }) => decision),
    tasks: acts.flatMap(({ tasks }) => tasks),
    outgoing: acts.flatMap(({ outgoing }) => outgoing),
    answers: [],
    approvals: [],
    said: matches.some(({ command }, index) => command.kind === 'text' && hasRun(acts[index]?.decision))
      ? [saidKey(occasion.provider.name, occasion.event) ?? [], heardKeys(occasion)].flat()
      : [],
    ignored,
  };
}

/** The key by which no other webhook hears the text again. */
function heardKeys({ provider, event, delivery }: EventContext): readonly string[] {
  return isFirstHand(delivery) ? [actKey(provider.name, event) ?? []].flat() : [];
}

/** Why a text does nothing here: it commanded, answered or steered at another webhook. The triggers of this one run. */
function heardElsewhere(
  { store }: Pick<PipelineContext, 'store'>,
  { provider, event, delivery }: EventContext,
): string | null {
  const key = isFirstHand(delivery) ? actKey(provider.name, event) : null;
  const holder = key === null ? null : store.holderOf(key);
  return holder === null || holder === delivery.id ? null : `the same as ${holder}`;
}

function hasRun(decision: Decision | undefined): boolean {
  return decision?.fired === true && decision.error === null;
}

/** One task for each mention: a text of which a command ran runs none again, in whichever order its edits come. */
function withoutRepeated(
  { store }: Pick<PipelineContext, 'store'>,
  { provider, event, delivery }: EventContext,
  { matches, ignored }: Matching,
): Matching {
  const said = event.text !== null && isFirstHand(delivery) ? saidKey(provider.name, event) : null;
  const holder = said === null ? null : store.holderOf(said);
  if (holder === null || holder === delivery.id) return { matches, ignored };
  return refused({ matches, ignored }, `a command of this text has run before (${holder})`);
}

/**
 * Why a text neither commands nor steers: it was written before the newest restore, and a backup does not hold the keys of what came
 * after it, so that the text may have run already. Null when it counts.
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

function refused({ matches, ignored }: Matching, reason: string): Matching {
  const left = matches.map((each) =>
    each.command.kind === 'text' ? { ...each, fired: false, reason } : each,
  );
  return { matches: left, ignored: left.some(({ fired }) => fired) ? ignored : reason };
}

/** What answers a question is no command, also where commands need no prefix. */
function withoutTexts({ matches, ignored }: Matching): Matching {
  return { matches: matches.filter(({ command }) => command.kind === 'trigger'), ignored };
}
