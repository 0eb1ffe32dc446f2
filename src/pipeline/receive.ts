import { providerNamed } from '../providers/index.ts';
import type { Ack, Parsed, Provider } from '../providers/provider.ts';
import type { NewDelivery } from '../store/store.ts';
import { RELAY_HEADER } from '../tunnels/relay.ts';
import type { DeliveryStatus, Headers, RawRequest, Trust, Webhook } from '../types.ts';
import type { PipelineContext } from './context.ts';
import { verify } from './verify.ts';

/** What `receive` made of a request: the row that was written, and the answer to send. */
export interface Receipt {
  readonly deliveryId: string;
  readonly webhook: Webhook;
  readonly status: Extract<DeliveryStatus, 'pending' | 'duplicate' | 'unparsed' | 'rejected'>;
  readonly reason: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  readonly size: number;
  readonly ack: Ack;
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
  const provider = providerNamed(webhook.provider);
  if (provider === null) throw new Error(`webhook ${webhook.name} has no provider ${webhook.provider}`);
  const verification = verify(context, webhook, request);
  if (!verification.ok) return reject(context, webhook, provider, request, verification.verdict.detail);

  const parsed = provider.parse(request, webhook);
  const delivery = toDelivery({ context, webhook, provider, request, parsed, trust: verification.trust });
  const { status, duplicateOf } = await context.store.accept(delivery);
  return {
    deliveryId: delivery.id,
    webhook,
    status,
    reason: duplicateOf === null ? delivery.reason : `the same as ${duplicateOf}`,
    eventType: delivery.eventType,
    externalId: delivery.externalId,
    senderName: delivery.senderName,
    size: request.body.byteLength,
    ack: provider.acknowledge?.(request, parsed) ?? answer(delivery, duplicateOf),
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
  return {
    id: context.ids.next('dlv'),
    webhook: webhook.name,
    provider: provider.name,
    status: parsed.ok ? 'pending' : 'unparsed',
    trust,
    reason: parsed.ok ? null : parsed.reason,
    senderDeliveryId,
    dedupeKeys: parsed.ok ? dedupeKeys(senderDeliveryId, parsed.semanticKeys) : [],
    eventType: first?.type ?? provider.eventName(request.headers),
    externalId: first?.externalId ?? null,
    senderName: first?.sender?.name ?? null,
    headers: storable(request.headers, provider.secretHeaders),
    query: request.query,
    body: request.body,
    receivedAt: context.clock.now(),
    replayOf: null,
    replies: true,
  };
}

function dedupeKeys(deliveryId: string | null, semanticKeys: readonly string[]): readonly string[] {
  return deliveryId === null ? semanticKeys : [`id:${deliveryId}`, ...semanticKeys];
}

/** Headers that are secrets themselves are not kept; signatures are, or a re-sent delivery could not be verified. */
function storable(headers: Headers, secretHeaders: readonly string[]): Headers {
  const never = ['authorization', 'proxy-authorization', 'cookie', RELAY_HEADER, ...secretHeaders];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !never.includes(name)));
}

async function reject(
  { store, ids, clock }: PipelineContext,
  webhook: Webhook,
  provider: Provider,
  request: RawRequest,
  reason: string,
): Promise<Receipt> {
  const row = {
    id: ids.next('dlv'),
    webhook: webhook.name,
    provider: provider.name,
    reason,
    senderDeliveryId: provider.deliveryId(request.headers),
    eventType: provider.eventName(request.headers),
    size: request.body.byteLength,
    receivedAt: clock.now(),
  };
  await store.reject(row);
  return {
    ...row,
    deliveryId: row.id,
    webhook,
    status: 'rejected',
    externalId: null,
    senderName: null,
    // One answer for every cause: which check failed is nobody's business but the operator's.
    ack: json(401, {}),
  };
}

function answer({ id, status, reason }: NewDelivery, duplicateOf: string | null): Ack {
  if (duplicateOf !== null) return json(200, { id, duplicate_of: duplicateOf });
  return status === 'unparsed' ? json(400, { error: 'unparsed', reason, id }) : json(202, { id });
}

function json(status: number, body: object): Ack {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
