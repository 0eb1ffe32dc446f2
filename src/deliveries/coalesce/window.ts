import type { KeyLock } from '../../lib/key-lock.ts';
import type { HeldDelivery } from '../../store/flows.ts';
import type { Effect } from '../../store/store.ts';
import { flowsTogether } from '../../tasks/flows.ts';
import type { Delivery } from '../../types.ts';
import type { DispatchResult, EventContext, Held, PipelineContext } from '../context.ts';
import { actsOf } from '../dedupe-keys.ts';
import { subjectNames } from '../links/aliases.ts';
import { joinsOf } from '../links/joins.ts';
import { decisionOf, type Matching, match } from '../match.ts';
import { pausedThread } from '../rules/loop-guard.ts';
import { type CommandResult, runCommand } from '../run-command.ts';
import {
  actedBefore,
  contextOf,
  type Outcome,
  outcomeOf,
  type Read,
  readDelivery,
  record,
  synced,
} from '../settle.ts';
import { withVariants } from '../variants/shadow.ts';
import { closesWindows, mayWait, WAITS, waitOf } from './wait.ts';

/** What waits in a flow is added to and worked off one after the other. */
export function windowKey(flowId: string): string {
  return `window of ${flowId}`;
}

/** How a delivery waits for others; null when it is worked off at once. */
export function heldBy(
  context: PipelineContext,
  delivery: Delivery,
  { webhook, parsed }: Read,
): HeldDelivery | null {
  const [event, ...more] = parsed.events;
  if (event === undefined || more.length > 0 || !mayWait(webhook)) return null;
  const keys = actsOf(delivery, parsed.events, delivery.webhookId ?? delivery.webhook);
  return actedBefore(context, delivery, keys) === null
    ? waitOf(context, contextOf(context, delivery, webhook, event))
    : null;
}

/** Lets a delivery wait, or works off its group when that is due. */
export async function wait(
  context: PipelineContext,
  { id }: Delivery,
  held: HeldDelivery,
  worked: (quiet: boolean) => void,
): Promise<DispatchResult | Held | null> {
  const { store, clock } = context;
  // Another delivery of its group may have taken it along meanwhile.
  if (store.delivery(id)?.status !== 'pending') {
    worked(true);
    return null;
  }
  const heldUntil = await store.holdDelivery(held, WAITS);
  if (heldUntil > clock.now()) {
    worked(true);
    return { heldUntil };
  }
  const [group = held] = store.held({ deliveryId: id });
  const results = await closeWindow(context, group.waitGroup);
  worked(false);
  const own = results.find(({ delivery }) => delivery.id === id) ?? null;
  return own === null ? null : { ...own, also: results.filter((each) => each !== own) };
}

/** Works off what waits in the flow of a person who asks for something, so that nothing is asked without it. */
export async function closedBy(
  context: PipelineContext,
  delivery: Delivery,
  { webhook, parsed }: Read,
  inTurn: KeyLock,
): Promise<readonly DispatchResult[]> {
  if (!context.snapshot().webhooks.some(mayWait)) return [];
  const results: DispatchResult[] = [];
  for (const [index, event] of parsed.events.entries()) {
    const eventContext = contextOf(context, delivery, webhook, event, index);
    const matching = match(eventContext.webhook, event, delivery.trust ?? 'unverified', delivery);
    if (!closesWindows(event, matching)) continue;
    const { flowId } = eventContext.subject();
    // What began to wait before a join waits under the flow that it had.
    for (const each of flowsTogether(context.store, flowId)) {
      const groups = new Set(context.store.held({ flowId: each }).map(({ waitGroup }) => waitGroup));
      for (const group of groups)
        results.push(...(await inTurn([windowKey(each)], () => closeWindow(context, group))));
    }
  }
  return results;
}

/** Works off the deliveries of a group as one, in the order in which they came, in one transaction. */
async function closeWindow(context: PipelineContext, waitGroup: string): Promise<readonly DispatchResult[]> {
  const results: DispatchResult[] = [];
  const waiting: WaitingEvent[] = [];
  for (const { deliveryId } of context.store.held({ waitGroup })) {
    const delivery = context.store.delivery(deliveryId);
    if (delivery?.status !== 'pending') continue;
    const read = await readDelivery(context, delivery, null);
    const event = 'status' in read ? undefined : read.parsed.events[0];
    if ('status' in read) results.push(await record(context, delivery, read));
    else if (event !== undefined) {
      const eventContext = contextOf(context, delivery, read.webhook, event);
      waiting.push({
        eventContext,
        matching: match(eventContext.webhook, event, delivery.trust ?? 'unverified', delivery),
      });
    }
  }
  const outcomes = await workTogether(context, waiting);
  const [lead, ...others] = outcomes;
  if (lead === undefined) return results;
  const { store, clock } = context;
  const settledAt = clock.now();
  const tasks = await store.recordOutcome({
    ...{ ...lead.outcome, deliveryId: lead.delivery.id, settledAt },
    others: others.map(({ delivery, outcome }) => ({ ...outcome, deliveryId: delivery.id })),
  });
  for (const [index, { delivery, outcome }] of outcomes.entries()) {
    const { status, reason, decisions, variant = null } = outcome;
    const settled = { ...delivery, status, reason, decisions, variant, settledAt, nextAttemptAt: null };
    results.push(
      index === 0
        ? await synced(context, { delivery: settled, tasks, quiet: false })
        : { delivery: settled, tasks: [], quiet: true },
    );
  }
  return results;
}

interface WaitingEvent {
  readonly eventContext: EventContext;
  readonly matching: Matching;
}

interface JointOutcome {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
}

/** One outcome for each event; that of the first has the effects of all. Each command runs once, on all events that fire it. */
async function workTogether(
  context: PipelineContext,
  waiting: readonly WaitingEvent[],
): Promise<readonly JointOutcome[]> {
  const effects: Effect[] = [];
  const results = new Map<string, CommandResult>();
  const firing = (id: string) =>
    waiting.flatMap(({ eventContext, matching }) => {
      const found = matching.matches.find(({ command, fired }) => fired && command.id === id);
      return found === undefined ? [] : [{ eventContext, found }];
    });
  const ids = waiting.flatMap(({ matching }) =>
    matching.matches.flatMap(({ command, fired }) => (fired ? [command.id] : [])),
  );
  const [lead] = waiting;
  const pause =
    lead === undefined
      ? null
      : pausedThread(
          context,
          lead.eventContext,
          lead.matching.matches.filter(({ fired }) => fired),
        );
  if (pause !== null) effects.push(...pause.notice);
  for (const id of pause === null ? new Set(ids) : []) {
    const [first, ...further] = firing(id);
    if (first === undefined) continue;
    const needsApproval = [first, ...further].some(({ found }) => found.needsApproval);
    const contexts = further.map(({ eventContext }) => eventContext);
    const result = await runCommand(context, first.eventContext, { ...first.found, needsApproval }, contexts);
    results.set(id, result);
    effects.push(...result.effects);
  }
  const names = waiting.flatMap(({ eventContext }) => [
    ...joinsOf(context, eventContext),
    ...subjectNames(context, eventContext, effects, false),
  ]);
  const together = waiting.length === 1 ? '' : ` (${waiting.length} deliveries together)`;
  const outcomes: JointOutcome[] = [];
  for (const [index, { eventContext, matching }] of waiting.entries()) {
    const { matches, ignored } = matching;
    const decisions = matches.map((each) => {
      if (!each.fired) return decisionOf(eventContext, each, { fired: false });
      if (pause !== null) return decisionOf(eventContext, each, { fired: false, reason: pause.reason });
      const { taskIds = [], error = null } = results.get(each.command.id)?.decision ?? {};
      return decisionOf(eventContext, each, { reason: each.reason + together, taskIds, error });
    });
    const own = {
      decisions,
      effects: index === 0 ? [...effects, ...names] : [],
      ignored: ignored ?? pause?.reason ?? null,
    };
    const outcome = outcomeOf([await withVariants(eventContext, own)]);
    outcomes.push({ delivery: eventContext.delivery, outcome });
  }
  return outcomes;
}
