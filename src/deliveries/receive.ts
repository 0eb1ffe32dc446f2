import type { NewDelivery } from '../store/store.ts';
import { RELAY_HEADER } from '../tunnels/tunnel.ts';
import type {
  Ack,
  Delivery,
  DeliveryStatus,
  Headers,
  Parsed,
  Provider,
  RawRequest,
  Trust,
  Verdict,
  Webhook,
} from '../types.ts';
import type { DispatchResult, PipelineContext } from './context.ts';
import { dedupeKeys } from './dedupe-keys.ts';
import type { ParsedDelivery } from './dispatch.ts';
import { nothingToDo } from './match.ts';
import { isByPerson } from './rules/senders.ts';
import { isSample, SAMPLE_HEADER, verify } from './verify.ts';
import { webhookIdOf } from './webhook-of.ts';

/** Why a request may not enter, and what its sender is told. */
interface Refusal {
  readonly detail: string;
  readonly ack: Ack;
  /** What would have fitted; asked only when the refusal is written down. */
  readonly hint: () => string | null;
}

/** Nothing of the request was looked at. */
const DISABLED: Refusal = {
  detail: 'the webhook is disabled',
  ack: jsonAck(403, { error: 'webhook_disabled' }),
  hint: () => null,
};

/** The request did not prove where it comes from. */
function unverified(
  { hints }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  { detail }: Extract<Verdict, { ok: false }>,
): Refusal {
  // One answer for every cause: only the operator is told which check failed.
  return { detail, ack: jsonAck(401, {}), hint: () => hints.of(webhook, request) };
}

/** Writes down that a request may not enter, unless rows like it come too often. */
async function reject(
  { store, ids, clock, limits }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  { detail, ack, hint: hintOf }: Refusal,
): Promise<Receipt> {
  const { provider } = webhook;
  const recorded = limits.mayRecordRefusal();
  const hint = recorded ? hintOf() : null;
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
    ack,
    result: null,
  };
}

/** 429 is what senders that try again understand (Jira, PagerDuty, Slack, Standard Webhooks). */
function limited(
  { ids }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  waitSeconds: number,
): Receipt {
  const { status, headers, body } = jsonAck(429, { error: 'too_many_requests' });
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
    result: null,
  };
}

/** An answer in JSON. */
function jsonAck(status: number, body: object): Ack {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * Steps 1–5: verify the raw bytes, parse, make it durable, and only then say so. A 2xx means that the delivery is
 * on disk. Of what comes to a disabled webhook nothing is looked at, but that it came is written down. Throws when the
 * store can't write; the caller answers 503.
 */
export async function receive(
  context: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
): Promise<Receipt> {
  if (!webhook.enabled) return reject(context, webhook, request, DISABLED);
  const { provider } = webhook;
  const verification = verify(context, webhook, request);
  if (!verification.ok)
    return reject(context, webhook, request, unverified(context, webhook, request, verification.verdict));

  const waitSeconds = context.limits.waitFor(webhook.name);
  if (waitSeconds > 0) return limited(context, webhook, request, waitSeconds);

  const parsed = provider.parse(request, webhook);
  const sample = isSample(request, context.relayKey);
  const delivery = toDelivery({ context, webhook, provider, request, parsed, sample, ...verification });
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
    parsedDelivery: { delivery: asStored(delivery), webhook, parsed },
    result: status === 'ignored' ? { delivery: asStored(delivery), tasks: [], quiet: true } : null,
  };
}

interface Incoming {
  readonly context: Pick<PipelineContext, 'clock' | 'ids'>;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly request: RawRequest;
  readonly parsed: Parsed;
  readonly trust: Trust;
  /** See `Verdict`. */
  readonly seal: string | null;
  /** `hookctl trigger` made it. */
  readonly sample: boolean;
}

/** The row of a request that may enter. */
export function toDelivery(incoming: Incoming): NewDelivery {
  const { context, webhook, provider, request, parsed, trust, seal, sample } = incoming;
  const senderDeliveryId = provider.deliveryId(request.headers);
  const first = parsed.ok ? parsed.events[0] : undefined;
  const receivedAt = context.clock.now();
  return {
    id: context.ids.next('dlv'),
    webhook: webhook.name,
    webhookId: webhookIdOf(webhook),
    provider: provider.name,
    trust,
    ...stateOf(webhook, parsed, trust, receivedAt),
    senderDeliveryId,
    dedupeKeys: parsed.ok
      ? dedupeKeys({
          provider: provider.name,
          webhook: webhookIdOf(webhook) ?? webhook.name,
          trust,
          seal,
          senderDeliveryId,
          parsed,
          receivedAt,
        })
      : [],
    eventType: first?.type ?? provider.eventName(request.headers),
    externalId: first?.externalId ?? null,
    senderName: first?.sender?.name ?? null,
    isByPerson: parsed.ok && parsed.events.length > 0 && parsed.events.every(isByPerson),
    isSample: sample,
    headers: storable(request.headers, provider.secretHeaders),
    query: request.query,
    body: request.body,
    receivedAt,
    replayOf: null,
    replies: request.headers[SILENT_HEADER.name] !== SILENT_HEADER.value,
  };
}

function stateOf(
  webhook: Webhook,
  parsed: Parsed,
  trust: Trust,
  at: number,
): Pick<NewDelivery, 'status' | 'reason' | 'settledAt' | 'decisions'> {
  if (!parsed.ok) return { status: 'unparsed', reason: parsed.reason, settledAt: null, decisions: [] };
  const ignored = nothingToDo(webhook, parsed, trust);
  return ignored === null
    ? { status: 'pending', reason: null, settledAt: null, decisions: [] }
    : { status: 'ignored', settledAt: at, ...ignored };
}

/** The row of a delivery that was stored just now. */
export function asStored({ dedupeKeys: _, isByPerson: __, body, ...delivery }: NewDelivery): Delivery {
  return {
    ...delivery,
    size: body.byteLength,
    duplicateOf: null,
    attempts: 0,
    nextAttemptAt: null,
    bodyRemovedAt: null,
  };
}

/**
 * `hookctl trigger` sends it, so that nothing is posted for the request. It is no secret: a sender of a signed request who
 * can add it could also send no request.
 */
export const SILENT_HEADER = { name: 'x-hookctl-replies', value: 'off' } as const;

const NEVER_STORED: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  RELAY_HEADER,
  SAMPLE_HEADER,
]);

/** Whatever the provider: a sender that was pointed at the wrong endpoint gives its plain token away. */
const NAMES_SECRET = /(?:^|-)(?:token|secret|password|passwd|api-?key|auth)(?:-|$)/;

/** Headers that are secrets themselves are not kept; signatures are, or a re-sent delivery could not be verified. */
function storable(headers: Headers, secretHeaders: readonly string[]): Headers {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!NEVER_STORED.has(name) && !NAMES_SECRET.test(name) && !secretHeaders.includes(name))
      kept[name] = value;
  }
  return kept;
}

function answer({ id, status, reason }: NewDelivery, duplicateOf: string | null): Ack {
  if (duplicateOf !== null) return jsonAck(200, { id, duplicate_of: duplicateOf });
  return status === 'unparsed' ? jsonAck(400, { error: 'unparsed', reason, id }) : jsonAck(202, { id });
}

/** What `receive` made of a request: the row that was written, and the answer to send. */
export interface Receipt {
  readonly deliveryId: string;
  readonly webhook: Webhook;
  /** `limited`: it was verified and turned away, because its webhook has had too many; nothing of it is stored. */
  readonly status: Exclude<DeliveryStatus, 'processed' | 'failed'> | 'limited';
  /** False: there is no row of it, because rows like it come too often. */
  readonly recorded: boolean;
  readonly reason: string | null;
  /** Why the signature of a refused request did not fit, for the operator alone. Null when nothing is known. */
  readonly hint: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  readonly size: number;
  readonly ack: Ack;
  /** What was made of a delivery that is to be worked off. */
  readonly parsedDelivery?: ParsedDelivery;
  /** Its end, where that was certain at once. */
  readonly result: DispatchResult | null;
}
