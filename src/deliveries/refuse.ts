import type { Ack, RawRequest, Verdict, Webhook } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { Receipt } from './receipt.ts';
import { webhookIdOf } from './webhook-of.ts';

/** Why a request may not enter, and what its sender is told. */
interface Refusal {
  readonly detail: string;
  readonly ack: Ack;
  /** What would have fitted; asked only when the refusal is written down. */
  readonly hint: () => string | null;
}

/** Nothing of the request was looked at. */
export const DISABLED: Refusal = {
  detail: 'the webhook is disabled',
  ack: jsonAck(403, { error: 'webhook_disabled' }),
  hint: () => null,
};

/** The request did not prove where it comes from. */
export function unverified(
  { hints }: PipelineContext,
  webhook: Webhook,
  request: RawRequest,
  { detail }: Extract<Verdict, { ok: false }>,
): Refusal {
  // One answer for every cause: which check failed is nobody's business but the operator's.
  return { detail, ack: jsonAck(401, {}), hint: () => hints.of(webhook, request) };
}

/** Writes down that a request may not enter, unless rows like it come too often. */
export async function reject(
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
    settled: null,
  };
}

/** 429 is what senders that try again understand (Jira, PagerDuty, Slack, Standard Webhooks). */
export function limited(
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
    settled: null,
  };
}

/** An answer in JSON. */
export function jsonAck(status: number, body: object): Ack {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
