import { deliveryIds } from '../lib/ids.ts';
import type { DeliveryOutcome, Effect } from '../store/store.ts';
import { findSubject, ownExternalId, type Subject } from '../tasks/flows.ts';
import { syncTasks } from '../tasks/sync.ts';
import type { Decision, Delivery, Parsed, RawRequest, Webhook, WebhookEvent } from '../types.ts';
import { type DispatchResult, type EventContext, findWebhook, type PipelineContext } from './context.ts';
import { joinReasons } from './match.ts';
import { withOwnActs } from './rules/own-app.ts';
import { readRequest } from './rules/read-request.ts';
import { choose } from './variants/choose.ts';

/** The outcome of one delivery, before it is recorded. */
export type Outcome = Omit<DeliveryOutcome, 'deliveryId' | 'settledAt'>;

/** A delivery that was parsed at accept, kept so that dispatch does not parse it again. */
export interface ParsedDelivery {
  readonly delivery: Delivery;
  /** As it was when the bytes were parsed. */
  readonly webhook: Webhook;
  readonly parsed: Parsed;
}

export interface Read {
  readonly webhook: Webhook;
  readonly parsed: Extract<Parsed, { ok: true }>;
}

/** The events of a delivery for its webhook as configured now; or the outcome, where it can't be read. */
export async function readDelivery(
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

export function contextOf(
  context: PipelineContext,
  delivery: Delivery,
  webhook: Webhook,
  event: WebhookEvent,
  index = 0,
  ids = deliveryIds(delivery.id),
): EventContext {
  const subject = subjectFinder(context, delivery, event);
  const choice = choose(webhook, event);
  const { provider } = webhook;
  return { delivery, webhook: choice?.webhook ?? webhook, choice, provider, event, index, ids, subject };
}

/** Looks the subject of an event up once, when it is needed. An event without one has a flow of its own. */
function subjectFinder(
  { store }: PipelineContext,
  { provider, owner, id }: Delivery,
  event: WebhookEvent,
): () => Subject {
  let subject: Subject | null = null;
  return () => {
    const externalId = event.externalId ?? ownExternalId(provider, id);
    subject ??= findSubject(store, owner, { ...event, externalId });
    return subject;
  };
}

/** The tasks of the result are as the store has them, their files still to be written. */
export async function record(
  context: PipelineContext,
  delivery: Delivery,
  outcome: Outcome,
  worked: (quiet: boolean) => void = () => undefined,
): Promise<DispatchResult> {
  const { store, clock } = context;
  const settledAt = clock.now();
  const recording = store.recordOutcome({ ...outcome, deliveryId: delivery.id, settledAt });
  const quiet = !outcome.effects.some(isVisible);
  worked(quiet);
  const tasks = await recording;
  const { status, reason, decisions, variant = null, duplicateOf = null } = outcome;
  return {
    delivery: {
      ...delivery,
      status,
      reason,
      decisions,
      variant,
      duplicateOf,
      settledAt,
      nextAttemptAt: null,
    },
    tasks,
    quiet,
  };
}

export async function synced(context: PipelineContext, result: DispatchResult): Promise<DispatchResult> {
  return { ...result, tasks: result.tasks.length === 0 ? [] : await syncTasks(context, result.tasks) };
}

/** A duplicate where another delivery holds one of these keys; null where none does. */
export function actedBefore(
  { store }: PipelineContext,
  { id }: Delivery,
  acts: readonly string[],
): Outcome | null {
  const holders = acts.map((key) => store.holderOf(key)).filter((holder) => holder !== null && holder !== id);
  const [first = null] = holders;
  return first === null ? null : { ...nothing('duplicate', `the same as ${first}`), duplicateOf: first };
}

/** What one event of a delivery changes, and why. */
export interface EventResult {
  readonly decisions: readonly Decision[];
  readonly effects: readonly Effect[];
  /** Why nothing fired; null when something did. */
  readonly ignored: string | null;
  /** The variants that decided. Left out where there are none. */
  readonly variants?: readonly string[];
}

export function outcomeOf(results: readonly EventResult[]): Outcome {
  const decisions = results.flatMap((result) => result.decisions);
  const effects = results.flatMap((result) => result.effects);
  const variants = [...new Set(results.flatMap((result) => result.variants ?? []))];
  const chosen = variants.length === 0 ? {} : { variant: variants.join(' ') };
  const fired = decisions.filter((decision) => decision.fired);
  const failed = fired.filter(({ error }) => error !== null);
  if (fired.length === 0) {
    const reason = joinReasons(results.map(({ ignored }) => ignored));
    return { status: 'ignored', reason, decisions, effects, ...chosen };
  }
  const status = failed.length === fired.length ? 'failed' : 'processed';
  return { status, reason: reasonOf(failed.length > 0 ? failed : fired), decisions, effects, ...chosen };
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

export function nothing(status: Outcome['status'], reason: string): Outcome {
  return { status, reason, decisions: [], effects: [] };
}
