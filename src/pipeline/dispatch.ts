import { providerNamed } from '../providers/index.ts';
import type { Settlement } from '../store/store.ts';
import { syncTasks } from '../tasks/context.ts';
import type { Decision, Delivery, RawRequest } from '../types.ts';
import type { PipelineContext, Settled } from './context.ts';
import { type EventOutcome, workEvent } from './work-event.ts';

/** What the commands of a webhook come to for one delivery, before anything is recorded. */
type Outcome = Omit<Settlement, 'deliveryId' | 'settledAt'>;

/**
 * Steps 6–8 for a stored delivery: match, act, record both in one transaction, sync the task files. Throws when
 * something is broken (disk, store): the delivery stays pending. Null when it is pending no longer.
 */
export async function dispatch(context: PipelineContext, deliveryId: string): Promise<Settled | null> {
  const { store, clock } = context;
  const delivery = store.delivery(deliveryId);
  if (delivery?.status !== 'pending') return null;
  const outcome = await work(context, delivery);
  const stored = await store.settle({ ...outcome, deliveryId, settledAt: clock.now() });
  return {
    delivery: store.delivery(deliveryId) ?? delivery,
    tasks: await syncTasks(context, stored),
  };
}

async function work(context: PipelineContext, delivery: Delivery): Promise<Outcome> {
  const webhook = context.snapshot().byName.get(delivery.webhook);
  if (webhook === undefined) return nothing('ignored', `there is no webhook ${delivery.webhook} any more`);
  if (!webhook.enabled) return nothing('ignored', `the webhook ${webhook.name} is disabled`);
  const provider = providerNamed(webhook.provider);
  const request = storedRequest(context, delivery);
  if (provider === null || request === null) return nothing('failed', 'its bytes are no longer stored');

  const parsed = provider.parse(request, webhook);
  if (!parsed.ok) return nothing('failed', parsed.reason);
  const outcomes: EventOutcome[] = [];
  for (const [index, event] of parsed.events.entries()) {
    outcomes.push(await workEvent(context, { delivery, webhook, provider, event, index }));
  }
  return outcomeOf(outcomes);
}

/** The request as it was received, from the store; null when its bytes are gone. */
export function storedRequest(
  { store }: Pick<PipelineContext, 'store'>,
  delivery: Delivery,
): RawRequest | null {
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
  };
  const fired = made.decisions.filter((decision) => decision.fired);
  const failed = fired.filter(({ error }) => error !== null);
  if (fired.length === 0) {
    const why = [...new Set(outcomes.flatMap(({ ignored }) => ignored ?? []))].join('; ');
    return { ...made, status: 'ignored', reason: why || 'it holds no event' };
  }
  const status = failed.length === fired.length ? 'failed' : 'processed';
  return { ...made, status, reason: reasonOf(failed.length > 0 ? failed : fired) };
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
