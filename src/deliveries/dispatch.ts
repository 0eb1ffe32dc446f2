import { deliveryIds } from '../lib/ids.ts';
import type { KeyLock } from '../lib/key-lock.ts';
import { type DeliveryOutcome, type Effect, effectsOf } from '../store/store.ts';
import { findSubject, ownExternalId, type Subject } from '../tasks/flows.ts';
import { syncTasks } from '../tasks/sync.ts';
import type { Decision, Delivery, Parsed, RawRequest, Webhook, WebhookEvent } from '../types.ts';
import {
  type DispatchResult,
  type EventContext,
  findWebhook,
  isFirstHand,
  type PipelineContext,
} from './context.ts';
import { actKeys, actsOf } from './dedupe-keys.ts';
import { subjectNames } from './links/aliases.ts';
import { joinsOf } from './links/joins.ts';
import { decisionOf, joinReasons, type Matching, match } from './match.ts';
import { readRequest } from './read-request.ts';
import { withAssociation } from './rules/clicker.ts';
import { pausedThread } from './rules/loop-guard.ts';
import { withOwnActs } from './rules/own-app.ts';
import { claimText, whyTextIsOver, withoutRepeated, withoutTexts } from './rules/repeats.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { steer } from './steering.ts';

/** The outcome of one delivery, before it is recorded. */
type Outcome = Omit<DeliveryOutcome, 'deliveryId' | 'settledAt'>;

/** A delivery that was parsed at accept, kept so that dispatch does not parse it again. */
export interface ParsedDelivery {
  readonly delivery: Delivery;
  /** As it was when the bytes were parsed. */
  readonly webhook: Webhook;
  readonly parsed: Parsed;
}

interface DispatchOptions {
  readonly parsedDelivery?: ParsedDelivery | null;
  /** Called when only the disk is waited for. `quiet`: the delivery has no effect that others see. */
  readonly worked?: (quiet: boolean) => void;
  /** Called when the outcome is stored, and at most files are still to be written. */
  readonly recorded?: () => void;
  /** Works off deliveries of the same text one after the other. Left out: nothing else is worked off. */
  readonly inTurn?: KeyLock;
}

/**
 * Steps 6–8 for a stored delivery: match, act, record both in one transaction, sync the task files. Throws when
 * something is broken (disk, store): the delivery stays pending. Null when it is pending no longer.
 */
export async function dispatch(
  context: PipelineContext,
  deliveryId: string,
  options: DispatchOptions = {},
): Promise<DispatchResult | null> {
  const { parsedDelivery = null, worked = noop, recorded = noop, inTurn = (_, work) => work() } = options;
  if (parsedDelivery === null) await context.store.indexed();
  const delivery = parsedDelivery?.delivery ?? context.store.delivery(deliveryId);
  if (delivery?.status !== 'pending') {
    worked(true);
    return null;
  }
  const read = await readDelivery(context, delivery, parsedDelivery);
  if ('status' in read) return record(context, delivery, read, worked);
  const { events } = read.parsed;
  const acts = isFirstHand(delivery) ? actKeys(delivery.provider, events) : [];
  // Repairs of one provider are decided one after the other: each counts those before it.
  const isRepairing = read.webhook.commands.some(({ action }) => action === 'repair');
  const places = isRepairing ? [`repairs of ${delivery.provider}`] : [];
  const result = await inTurn([...acts, ...places], async () => {
    const own = actsOf(
      delivery.provider,
      acts.length === 0 ? [] : events,
      delivery.webhookId ?? delivery.webhook,
    );
    const outcome = actedBefore(context, delivery, own) ?? (await work(context, delivery, read));
    const isIdle = outcome.status === 'ignored' && effectsOf(outcome.effects, 'post').length === 0;
    return record(
      context,
      delivery,
      (isIdle ? actedBefore(context, delivery, acts) : null) ?? outcome,
      worked,
    );
  });
  recorded();
  return { ...result, tasks: result.tasks.length === 0 ? [] : await syncTasks(context, result.tasks) };
}

const noop = () => undefined;

/** The tasks of the result are as the store has them, their files still to be written. */
async function record(
  context: PipelineContext,
  delivery: Delivery,
  outcome: Outcome,
  worked: (quiet: boolean) => void,
): Promise<DispatchResult> {
  const { store, clock } = context;
  const settledAt = clock.now();
  const recording = store.recordOutcome({ ...outcome, deliveryId: delivery.id, settledAt });
  const quiet = !outcome.effects.some(isVisible);
  worked(quiet);
  const tasks = await recording;
  const { status, reason, decisions, duplicateOf = null } = outcome;
  return {
    delivery: { ...delivery, status, reason, decisions, duplicateOf, settledAt, nextAttemptAt: null },
    tasks,
    quiet,
  };
}

interface Read {
  readonly webhook: Webhook;
  readonly parsed: Extract<Parsed, { ok: true }>;
}

/** The events of a delivery for its webhook as configured now; or the outcome, where it can't be read. */
async function readDelivery(
  context: PipelineContext,
  delivery: Delivery,
  parsedDelivery: ParsedDelivery | null,
): Promise<Read | Outcome> {
  const webhook = findWebhook(context.snapshot(), delivery);
  if (webhook === null) return nothing('ignored', `there is no webhook ${delivery.webhook} any more`);
  if (!webhook.enabled) return nothing('ignored', `the webhook ${webhook.name} is disabled`);
  const parsed =
    parsedDelivery?.webhook === webhook
      ? parsedDelivery.parsed
      : await parseStored(context, delivery, webhook);
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
  const ids = deliveryIds(delivery.id);
  const results: EventResult[] = [];
  for (const [index, told] of parsed.events.entries()) {
    const event = told.button === undefined ? told : await withAssociation(context.apps, told);
    const subject = subjectFinder(context, delivery, event);
    results.push(await handleEvent(context, { delivery, webhook, provider, event, index, ids, subject }));
  }
  return outcomeOf(results);
}

/** Looks the subject of an event up once, when it is needed. An event without one has a flow of its own. */
function subjectFinder(
  { store }: PipelineContext,
  { provider, id }: Delivery,
  event: WebhookEvent,
): () => Subject {
  let subject: Subject | null = null;
  return () => {
    const externalId = event.externalId ?? ownExternalId(provider, id);
    subject ??= findSubject(store, { ...event, externalId });
    return subject;
  };
}

async function parseStored(
  context: PipelineContext,
  delivery: Delivery,
  webhook: Webhook,
): Promise<Parsed | null> {
  const request = storedRequest(context, delivery);
  return request === null ? null : withOwnActs(context.apps, webhook, await readRequest(webhook, request));
}

/** The request as it was received, from the store; null when its bytes are gone. */
function storedRequest({ store }: Pick<PipelineContext, 'store'>, delivery: Delivery): RawRequest | null {
  const body = store.body(delivery.id);
  return body === null ? null : { headers: delivery.headers, query: delivery.query, body };
}

/** What one event of a delivery changes, and why. */
interface EventResult {
  readonly decisions: readonly Decision[];
  readonly effects: readonly Effect[];
  /** Why nothing fired; null when something did. */
  readonly ignored: string | null;
}

/** Steps 6 and 7 for one event: it steers tasks of its thread, or commands; its triggers fire either way, unless the thread is paused. */
async function handleEvent(context: PipelineContext, eventContext: EventContext): Promise<EventResult> {
  const { webhook, event, delivery } = eventContext;
  const over = whyTextIsOver(context, eventContext);
  const steered = over === null ? steer(context, eventContext) : null;
  const matching = match(webhook, event, delivery.trust ?? 'unverified', delivery);
  const ran = await runCommands(context, eventContext, leftToRun());
  const names = [
    ...joinsOf(context, eventContext),
    ...subjectNames(context, eventContext, ran.effects, steered !== null),
  ];
  if (steered === null) return { ...ran, effects: [...ran.effects, ...names] };
  const { decision, effects } = steered;
  const claims = decision.fired ? claimText(eventContext, false) : [];
  return {
    decisions: [decision, ...ran.decisions],
    effects: [...ran.effects, ...effects, ...names, ...claims],
    ignored: decision.fired ? null : decision.reason,
  };

  function leftToRun(): Matching {
    if (over !== null) return withoutTexts(matching, over);
    if (steered === null) return withoutRepeated(context, eventContext, matching);
    // A text that steers is no command, also where commands need no prefix.
    return { ...matching, matches: matching.matches.filter(({ command }) => command.kind === 'trigger') };
  }
}

async function runCommands(
  context: PipelineContext,
  eventContext: EventContext,
  { matches, ignored }: Matching,
): Promise<EventResult> {
  const fired = matches.filter((each) => each.fired);
  const pause = pausedThread(context, eventContext, fired);
  if (pause !== null) {
    const { reason, notice } = pause;
    const decisions = matches.map((each) => decisionOf(eventContext, each, { fired: false, reason }));
    return { decisions, effects: notice, ignored: reason };
  }
  const results: CommandResult[] = [];
  for (const each of matches) results.push(await runCommand(context, eventContext, each));
  const hasRun = matches.some(({ command }, index) => {
    const { fired: ran = false, error = null } = results[index]?.decision ?? {};
    return command.kind === 'text' && ran && error === null;
  });
  const effects = results.flatMap((result) => result.effects);
  const decisions = results.map(({ decision }) => decision);
  // A command that fired may find that there is nothing to do.
  const idle = decisions.some((each) => each.fired)
    ? null
    : decisions.find((_, index) => matches[index]?.fired === true)?.reason;
  return {
    decisions,
    effects: hasRun ? [...effects, ...claimText(eventContext, true)] : effects,
    ignored: ignored ?? idle ?? null,
  };
}

function outcomeOf(results: readonly EventResult[]): Outcome {
  const decisions = results.flatMap((result) => result.decisions);
  const effects = results.flatMap((result) => result.effects);
  const fired = decisions.filter((decision) => decision.fired);
  const failed = fired.filter(({ error }) => error !== null);
  if (fired.length === 0) {
    const reason = joinReasons(results.map(({ ignored }) => ignored));
    return { status: 'ignored', reason, decisions, effects };
  }
  const status = failed.length === fired.length ? 'failed' : 'processed';
  return { status, reason: reasonOf(failed.length > 0 ? failed : fired), decisions, effects };
}

/** `analyze: the text says …`; commands with the same reason are listed before it together. */
function reasonOf(decisions: readonly Decision[]): string {
  const byReason = Map.groupBy(decisions, ({ error, reason }) => error ?? reason);
  return [...byReason]
    .map(([reason, alike]) => {
      const commands = new Set(alike.map(({ command }) => command));
      return `${[...commands].join(', ')}: ${reason}`;
    })
    .join('; ');
}

/** Effects after which there is something to send or to show, unlike names and keys. */
function isVisible({ kind }: Effect): boolean {
  return (
    kind !== 'alias' &&
    kind !== 'join' &&
    kind !== 'repair' &&
    kind !== 'move' &&
    kind !== 'claim' &&
    kind !== 'ran'
  );
}

function nothing(status: Outcome['status'], reason: string): Outcome {
  return { status, reason, decisions: [], effects: [] };
}
