import type { Ack, Parsed, Provider } from '../providers/provider.ts';
import type { NewDelivery } from '../store/store.ts';
import { RELAY_HEADER } from '../tunnels/relay.ts';
import type { Delivery, DeliveryStatus, Headers, RawRequest, Trust, Webhook } from '../types.ts';
import type { PipelineContext, Settled } from './context.ts';
import type { Arrived } from './dispatch.ts';
import { nothingToDo } from './nothing-to-do.ts';
import { verify } from './verify.ts';

/** What `receive` made of a request: the row that was written, and the answer to send. */
export interface Receipt {
  readonly deliveryId: string;
  readonly webhook: Webhook;
  /** `limited`: it was verified and turned away, because its webhook has had too many; nothing of it is stored. */
  readonly status: Exclude<DeliveryStatus, 'processed' | 'failed'> | 'limited';
  /** False: there is no row of it, because rows like it come too often. */
  readonly recorded: boolean;
  readonly reason: string | null;
  /** What a refused request was signed by instead, for the operator alone; null: nothing is known. */
  readonly hint: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  readonly size: number;
  readonly ack: Ack;
  /** What was made of a delivery that is to be worked off. */
  readonly arrived?: Arrived;
  /** Its end, where that was certain at once. */
  readonly settled: Settled | null;
}

/**
 * Steps 1–5: verify the raw bytes, parse, make it durable, and only then say so. A 2xx means that the delivery is
 * on disk. Throws when the store can't write; the caller answers 503.
 */
export async function receive(
  context: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
): Promise<Receipt> {
  const { protocol: provider } = webhook;
  const verification = verify(context, webhook, request);
  if (!verification.ok) return reject(context, webhook, request, verification.verdict.detail);

  const waitSeconds = context.limits.waitFor(webhook.name);
  if (waitSeconds > 0) return limited(context, webhook, request, waitSeconds);

  const parsed = provider.parse(request, webhook);
  const delivery = toDelivery({ context, webhook, provider, request, parsed, trust: verification.trust });
  const { status, duplicateOf } = await context.store.accept(delivery);
  return {
    deliveryId: delivery.id,
    webhook,
    status,
    recorded: true,
    reason: duplicateOf === null ? delivery.reason : `the same as ${duplicateOf}`,
    hint: null,
    eventType: delivery.eventType,
    externalId: delivery.externalId,
    senderName: delivery.senderName,
    size: request.body.byteLength,
    ack: provider.acknowledge?.(request, parsed) ?? answer(delivery, duplicateOf),
    arrived: { delivery: asStored(delivery), webhook, parsed },
    settled: status === 'ignored' ? { delivery: asStored(delivery), tasks: [], quiet: true } : null,
  };
}

export interface Incoming {
  readonly context: Pick<PipelineContext, 'clock' | 'ids'>;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly request: RawRequest;
  readonly parsed: Parsed;
  readonly trust: Trust;
}

/** The row of a request that may enter. */
export function toDelivery({ context, webhook, provider, request, parsed, trust }: Incoming): NewDelivery {
  const senderDeliveryId = provider.deliveryId(request.headers);
  const first = parsed.ok ? parsed.events[0] : undefined;
  const receivedAt = context.clock.now();
  return {
    id: context.ids.next('dlv'),
    webhook: webhook.name,
    webhookId: webhookIdOf(webhook),
    provider: provider.name,
    trust,
    ...stateOf(webhook, parsed, receivedAt),
    senderDeliveryId,
    dedupeKeys: parsed.ok ? dedupeKeys(senderDeliveryId, parsed.semanticKeys) : [],
    eventType: first?.type ?? provider.eventName(request.headers),
    externalId: first?.externalId ?? null,
    senderName: first?.sender?.name ?? null,
    headers: storable(request.headers, provider.secretHeaders),
    query: request.query,
    body: request.body,
    receivedAt,
    replayOf: null,
    replies: true,
  };
}

function stateOf(
  webhook: Webhook,
  parsed: Parsed,
  at: number,
): Pick<NewDelivery, 'status' | 'reason' | 'settledAt' | 'decisions'> {
  if (!parsed.ok) return { status: 'unparsed', reason: parsed.reason, settledAt: null, decisions: [] };
  const ignored = nothingToDo(webhook, parsed);
  return ignored === null
    ? { status: 'pending', reason: null, settledAt: null, decisions: [] }
    : { status: 'ignored', settledAt: at, ...ignored };
}

/** The row of a delivery that was stored just now. */
export function asStored({ dedupeKeys: _, body, ...delivery }: NewDelivery): Delivery {
  return {
    ...delivery,
    size: body.byteLength,
    duplicateOf: null,
    attempts: 0,
    nextAttemptAt: null,
    bodyRemovedAt: null,
  };
}

function webhookIdOf({ origin }: Webhook): string | null {
  return origin.kind === 'dynamic' ? origin.webhookId : null;
}

function dedupeKeys(deliveryId: string | null, semanticKeys: readonly string[]): readonly string[] {
  return deliveryId === null ? semanticKeys : [`id:${deliveryId}`, ...semanticKeys];
}

const NEVER_STORED: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  RELAY_HEADER,
]);

/** Headers that are secrets themselves are not kept; signatures are, or a re-sent delivery could not be verified. */
/** Whatever the provider: a sender that was pointed at the wrong endpoint gives its plain token away. */
const NAMES_SECRET = /(?:^|-)(?:token|secret|password|passwd|api-?key|auth)(?:-|$)/;

function storable(headers: Headers, secretHeaders: readonly string[]): Headers {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!NEVER_STORED.has(name) && !NAMES_SECRET.test(name) && !secretHeaders.includes(name))
      kept[name] = value;
  }
  return kept;
}

async function reject(
  { store, ids, clock, limits, hints }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  detail: string,
): Promise<Receipt> {
  const { protocol: provider } = webhook;
  const recorded = limits.mayRecordRefusal();
  const hint = recorded ? hints.of(webhook, request) : null;
  const row = {
    id: ids.next('dlv'),
    webhook: webhook.name,
    webhookId: webhookIdOf(webhook),
    provider: provider.name,
    reason: hint === null ? detail : `${detail}; ${hint}`,
    senderDeliveryId: provider.deliveryId(request.headers),
    eventType: provider.eventName(request.headers),
    size: request.body.byteLength,
    receivedAt: clock.now(),
  };
  if (recorded) await store.reject(row);
  return {
    ...row,
    recorded,
    hint,
    deliveryId: row.id,
    webhook,
    status: 'rejected',
    externalId: null,
    senderName: null,
    // One answer for every cause: which check failed is nobody's business but the operator's.
    ack: json(401, {}),
    settled: null,
  };
}

/** 429 is what senders that try again understand (Jira, PagerDuty, Slack, Standard Webhooks). */
function limited(
  { ids }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  waitSeconds: number,
): Receipt {
  const { status, headers, body } = json(429, { error: 'too_many_requests' });
  return {
    deliveryId: ids.next('dlv'),
    webhook,
    status: 'limited',
    recorded: false,
    reason: 'more deliveries than ingress.rateLimit allows',
    hint: null,
    eventType: null,
    externalId: null,
    senderName: null,
    size: request.body.byteLength,
    ack: { status, headers: { ...headers, 'retry-after': String(waitSeconds) }, body },
    settled: null,
  };
}

function answer({ id, status, reason }: NewDelivery, duplicateOf: string | null): Ack {
  if (duplicateOf !== null) return json(200, { id, duplicate_of: duplicateOf });
  return status === 'unparsed' ? json(400, { error: 'unparsed', reason, id }) : json(202, { id });
}

function json(status: number, body: object): Ack {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
