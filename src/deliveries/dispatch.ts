import type { KeyLock } from '../lib/key-lock.ts';
import type { DeliveryOutcome } from '../store/store.ts';
import { syncTasks } from '../tasks/sync.ts';
import type { Decision, Delivery, Parsed, RawRequest, Webhook } from '../types.ts';
import { subjectNames } from './aliases.ts';
import { type DispatchResult, type EventContext, isFirstHand, type PipelineContext } from './context.ts';
import { actKey, actKeys, actsOf, saidKey } from './dedupe-keys.ts';
import { type Matching, match } from './match.ts';
import { whyNothing } from './nothing-to-do.ts';
import { pausedThread } from './rules/loop-guard.ts';
import { type CommandResult, decide, runCommand } from './run-command.ts';
import { answered, approved, stopped } from './steering.ts';
import { findWebhook } from './webhook-of.ts';

/** What one event comes to. */
interface EventOutcome
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
async function workEvent(context: PipelineContext, occasion: EventContext): Promise<EventOutcome> {
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

/** What the commands of a webhook come to for one delivery, before anything is recorded. */
type Outcome = Omit<DeliveryOutcome, 'deliveryId' | 'settledAt'>;

/** What of a delivery is still at hand since it came in: reading it back would parse it a second time. */
export interface ParsedDelivery {
  readonly delivery: Delivery;
  /** As it was when the bytes were parsed. */
  readonly webhook: Webhook;
  readonly parsed: Parsed;
}

interface DispatchOptions {
  readonly arrived?: ParsedDelivery | null;
  /** Told when nothing is left to do but to wait for the disk. `quiet`: nothing came of it that others could see. */
  readonly worked?: (quiet: boolean) => void;
  /** Deliveries that tell of one act are worked on one after the other. Left out: nothing else is worked on. */
  readonly inTurn?: KeyLock;
}

/**
 * Steps 6–8 for a stored delivery: match, act, record both in one transaction, sync the task files. Throws when
 * something is broken (disk, store): the delivery stays pending. Null when it is pending no longer.
 */
export async function dispatch(
  context: PipelineContext,
  deliveryId: string,
  { arrived = null, worked = () => undefined, inTurn = (_, work) => work() }: DispatchOptions = {},
): Promise<DispatchResult | null> {
  const delivery = arrived?.delivery ?? context.store.delivery(deliveryId);
  if (delivery?.status !== 'pending') {
    worked(true);
    return null;
  }
  const read = readDelivery(context, delivery, arrived);
  if ('status' in read) return settle(context, delivery, read, worked);
  const { events } = read.parsed;
  const acts = isFirstHand(delivery) ? actKeys(delivery.provider, events) : [];
  return inTurn(acts, async () => {
    const own = actsOf(
      delivery.provider,
      acts.length === 0 ? [] : events,
      delivery.webhookId ?? delivery.webhook,
    );
    const outcome = actedBefore(context, delivery, own) ?? (await work(context, delivery, read));
    const isIdle = outcome.status === 'ignored' && outcome.outgoing.length === 0;
    return settle(
      context,
      delivery,
      (isIdle ? actedBefore(context, delivery, acts) : null) ?? outcome,
      worked,
    );
  });
}

async function settle(
  context: PipelineContext,
  delivery: Delivery,
  outcome: Outcome,
  worked: (quiet: boolean) => void,
): Promise<DispatchResult> {
  const { store, clock } = context;
  const settledAt = clock.now();
  const settled = store.settle({ ...outcome, deliveryId: delivery.id, settledAt });
  const quiet = isQuiet(outcome);
  worked(quiet);
  const stored = await settled;
  const { status, reason, decisions, duplicateOf = null } = outcome;
  return {
    delivery: { ...delivery, status, reason, decisions, duplicateOf, settledAt, nextAttemptAt: null },
    tasks: stored.length === 0 ? [] : await syncTasks(context, stored),
    quiet,
  };
}

interface Read {
  readonly webhook: Webhook;
  readonly parsed: Extract<Parsed, { ok: true }>;
}

/** What a delivery says to its webhook of today; or its end, where nothing of it can be read. */
function readDelivery(
  context: PipelineContext,
  delivery: Delivery,
  arrived: ParsedDelivery | null,
): Read | Outcome {
  const webhook = findWebhook(context.snapshot(), delivery);
  if (webhook === null) return nothing('ignored', `there is no webhook ${delivery.webhook} any more`);
  if (!webhook.enabled) return nothing('ignored', `the webhook ${webhook.name} is disabled`);
  const parsed = arrived?.webhook === webhook ? arrived.parsed : parseStored(context, delivery, webhook);
  if (parsed === null) return nothing('failed', 'its bytes are no longer stored');
  return parsed.ok ? { webhook, parsed } : nothing('failed', parsed.reason);
}

/** A duplicate where another delivery holds one of these keys; null where none does. */
function actedBefore({ store }: PipelineContext, { id }: Delivery, acts: readonly string[]): Outcome | null {
  const holders = acts.map((key) => store.holderOf(key)).filter((holder) => holder !== null && holder !== id);
  const [first = null] = holders;
  return first === null ? null : { ...nothing('duplicate', `the same as ${first}`), duplicateOf: first };
}

async function work(
  context: PipelineContext,
  delivery: Delivery,
  { webhook, parsed }: Read,
): Promise<Outcome> {
  const { provider } = webhook;
  const outcomes: EventOutcome[] = [];
  for (const [index, event] of parsed.events.entries()) {
    outcomes.push(await workEvent(context, { delivery, webhook, provider, event, index }));
  }
  return outcomeOf(outcomes);
}

function parseStored(context: PipelineContext, delivery: Delivery, webhook: Webhook): Parsed | null {
  const request = storedRequest(context, delivery);
  return request === null ? null : webhook.provider.parse(request, webhook);
}

/** The request as it was received, from the store; null when its bytes are gone. */
function storedRequest({ store }: Pick<PipelineContext, 'store'>, delivery: Delivery): RawRequest | null {
  const body = store.body(delivery.id);
  return body === null ? null : { headers: delivery.headers, query: delivery.query, body };
}

function outcomeOf(outcomes: readonly EventOutcome[]): Outcome {
  const made = {
    decisions: outcomes.flatMap(({ decisions }) => decisions),
    tasks: outcomes.flatMap(({ tasks }) => tasks),
    outgoing: outcomes.flatMap(({ outgoing }) => outgoing),
    answers: outcomes.flatMap(({ answers }) => answers),
    approvals: outcomes.flatMap(({ approvals }) => approvals),
    stops: outcomes.flatMap(({ stops = [] }) => stops),
    aliases: outcomes.flatMap(({ aliases = [] }) => aliases),
    places: outcomes.flatMap(({ places = [] }) => places),
    said: outcomes.flatMap(({ said = [] }) => said),
  };
  const fired = made.decisions.filter((decision) => decision.fired);
  const failed = fired.filter(({ error }) => error !== null);
  if (fired.length === 0) {
    return { ...made, status: 'ignored', reason: whyNothing(outcomes.map(({ ignored }) => ignored)) };
  }
  const status = failed.length === fired.length ? 'failed' : 'processed';
  return { ...made, status, reason: reasonOf(failed.length > 0 ? failed : fired) };
}

function isQuiet({ tasks, outgoing, answers, approvals, stops = [] }: Outcome): boolean {
  return [tasks, outgoing, answers, approvals, stops].every((made) => made.length === 0);
}

/** `analyze: the text says …`; commands that have one reason in common stand before it together. */
function reasonOf(decisions: readonly Decision[]): string {
  const byReason = Map.groupBy(decisions, ({ error, reason }) => error ?? reason);
  return [...byReason]
    .map(([reason, alike]) => {
      const commands = new Set(alike.map(({ command }) => command));
      return `${[...commands].join(', ')}: ${reason}`;
    })
    .join('; ');
}

function nothing(status: Outcome['status'], reason: string): Outcome {
  return { status, reason, decisions: [], tasks: [], outgoing: [], answers: [], approvals: [] };
}
