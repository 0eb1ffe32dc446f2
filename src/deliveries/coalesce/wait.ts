import { milliseconds } from '../../lib/units.ts';
import type { HeldDelivery } from '../../store/flows.ts';
import { allCommands, type Webhook, type WebhookCommand, type WebhookEvent } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { isFirstHand } from '../context.ts';
import { type Match, type Matching, match } from '../match.ts';
import { steer } from '../steering.ts';

/** Whether a webhook has a command that lets events wait for each other. */
export function mayWait(webhook: Webhook): boolean {
  return webhook.mode === 'live' && allCommands(webhook).some(({ coalesce }) => coalesce !== null);
}

/**
 * How a delivery waits for others of its flow; null when it is worked off at once: all that it fires must be triggers that let it
 * wait. What a person steers, commands or replays never waits.
 */
export function waitOf(
  context: Pick<PipelineContext, 'store' | 'snapshot' | 'clock' | 'repositories'>,
  eventContext: EventContext,
): HeldDelivery | null {
  const { webhook, delivery, event } = eventContext;
  if (!isFirstHand(delivery) || !mayWait(webhook) || event.isClick === true) return null;
  const fired = firedOf(match(webhook, event, delivery.trust ?? 'unverified', delivery));
  const waits = fired.flatMap(({ command }) => coalesceOf(command) ?? []);
  if (fired.length === 0 || waits.length < fired.length || steer(context, eventContext) !== null) return null;
  const { flowId } = eventContext.subject();
  const { id: deliveryId } = delivery;
  // Since it is looked at, not since it came: what an outage piled up waits together, too.
  const atMost = (pick: 'window' | 'max') =>
    context.clock.now() + Math.min(...waits.map((each) => each[pick]));
  return {
    deliveryId,
    flowId,
    waitGroup: groupOf(eventContext, flowId, fired),
    windowEndsAt: atMost('window'),
    lastEndsAt: atMost('max'),
  };
}

function coalesceOf({ kind, action, coalesce }: WebhookCommand) {
  if (kind !== 'trigger' || action !== 'create_task' || coalesce === null) return null;
  return { window: milliseconds(coalesce.window), max: milliseconds(coalesce.max) };
}

function firedOf({ matches }: Matching): readonly Match[] {
  return matches.filter(({ fired }) => fired);
}

/** Only events wait together that a task may hold together: equally trusted, and all or none of them for an approval. */
function groupOf({ delivery, webhook }: EventContext, flowId: string, fired: readonly Match[]): string {
  const held = fired.some(({ needsApproval }) => needsApproval) ? 'held' : 'free';
  const { trust, isSample, webhookId } = delivery;
  return [webhookId ?? webhook.name, flowId, trust, held, isSample ? 'sample' : 'real'].join('|');
}

/** Whether a person asked for something in words: what waits in the flow runs first, so that it is known. */
export function closesWindows({ text }: WebhookEvent, { matches }: Matching): boolean {
  return text !== null && matches.some(({ command, fired }) => fired && command.kind === 'text');
}

/** The reason of a delivery that waits; its row says until when. */
export const WAITS = 'waits for further events of its flow (`coalesce`)';
