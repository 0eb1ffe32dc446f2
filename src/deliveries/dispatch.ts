import { deliveryIds } from '../lib/ids.ts';
import type { KeyLock } from '../lib/key-lock.ts';
import { effectsOf } from '../store/store.ts';
import { allCommands, type Delivery } from '../types.ts';
import { withAssociation } from './buttons/clicker.ts';
import { decidedTask } from './buttons/press.ts';
import { closedBy, heldBy, wait, windowKey } from './coalesce/window.ts';
import {
  type DispatchResult,
  type EventContext,
  type Held,
  isFirstHand,
  type PipelineContext,
} from './context.ts';
import { actKeys, actsOf } from './dedupe-keys.ts';
import { subjectNames } from './links/aliases.ts';
import { joinsOf } from './links/joins.ts';
import { decisionOf, type Matching, match } from './match.ts';
import { pausedThread } from './rules/loop-guard.ts';
import { claimText, whyTextIsOver, withoutRepeated, withoutTexts } from './rules/repeats.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import {
  actedBefore,
  contextOf,
  type EventResult,
  type Outcome,
  outcomeOf,
  type ParsedDelivery,
  type Read,
  readDelivery,
  record,
  synced,
} from './settle.ts';
import { steer } from './steering.ts';
import { inShadow, withVariants } from './variants/shadow.ts';

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
): Promise<DispatchResult | Held | null> {
  const {
    parsedDelivery = null,
    worked = () => undefined,
    recorded = () => undefined,
    inTurn = (_, work) => work(),
  } = options;
  if (parsedDelivery === null) await context.store.indexed();
  const delivery = parsedDelivery?.delivery ?? context.store.delivery(deliveryId);
  if (delivery?.status !== 'pending') {
    worked(true);
    return null;
  }
  const read = await readDelivery(context, delivery, parsedDelivery);
  if ('status' in read) return record(context, delivery, read, worked);
  const { events } = read.parsed;
  if (read.webhook.mode === 'shadow') {
    const result = await record(context, delivery, await inShadow(context, delivery, read), worked);
    recorded();
    return result;
  }
  const held = heldBy(context, delivery, read);
  if (held !== null) return inTurn([windowKey(held.flowId)], () => wait(context, delivery, held, worked));
  const also = await closedBy(context, delivery, read, inTurn);
  const acts = isFirstHand(delivery) ? actKeys(delivery, events) : [];
  // Repairs of one provider are decided one after the other: each counts those before it.
  const isRepairing = allCommands(read.webhook).some(({ action }) => action === 'repair');
  const places = isRepairing ? [`repairs of ${delivery.provider}`] : [];
  // Buttons of one task can be pressed in several threads at once: each sees what was decided before it.
  const decisions = events.flatMap(({ button }) => {
    const task = button === undefined ? null : decidedTask(context.store, button);
    return task === null ? [] : [`decision about ${task}`];
  });
  const result = await inTurn([...acts, ...places, ...decisions], async () => {
    const own = actsOf(delivery, acts.length === 0 ? [] : events, delivery.webhookId ?? delivery.webhook);
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
  return { ...(await synced(context, result)), also };
}

async function work(
  context: PipelineContext,
  delivery: Delivery,
  { webhook, parsed }: Read,
): Promise<Outcome> {
  const ids = deliveryIds(delivery.id);
  const results: EventResult[] = [];
  for (const [index, told] of parsed.events.entries()) {
    const event = told.button === undefined ? told : await withAssociation(context.apps, told);
    const eventContext = contextOf(context, delivery, webhook, event, index, ids);
    results.push(await withVariants(eventContext, await handleEvent(context, eventContext)));
  }
  return outcomeOf(results);
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
