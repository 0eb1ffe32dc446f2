import { snakeFields, snakeKeys } from './lib/case.ts';
import { withoutUserinfo } from './lib/redact/redact.ts';
import type { MachineInfo } from './store/shared.ts';
import { shownText } from './types/text.ts';
import type { AuditEntry, Connection, Delivery, Outgoing, Task, TaskUsage } from './types.ts';

/** How deliveries and tasks look outside: in the API and in every `--json`. What stays inside is taken out by name. */

export type DeliveryView = ReturnType<typeof deliveryView>;
export type TaskView = ReturnType<typeof taskView>;
export type OutgoingView = ReturnType<typeof outgoingView>;
export type AuditView = ReturnType<typeof auditView>;

export function deliveryView(delivery: Delivery) {
  const { webhookId, headers, query, replies, isSample, senderName, decisions, ...same } = delivery;
  return {
    ...snakeFields(same),
    sample: isSample,
    sender: senderName,
    decisions: decisions.map((decision) => snakeKeys(decision)),
  };
}

/** A delivery with its headers and bytes: what `delivery show` prints and `replay <file>` takes. */
export function exportedDelivery(delivery: Delivery, body: Uint8Array | null) {
  return {
    ...deliveryView(delivery),
    headers: delivery.headers,
    query: delivery.query,
    body_base64: body === null ? null : Buffer.from(body).toString('base64'),
  };
}

export function taskView({ usage, isSample, syncToClaudeTasks, ...same }: Task) {
  return { ...snakeFields(same), ...usageView(usage), sample: isSample };
}

export function outgoingView({ privateNetwork, buttonsOf, buttonsAt, ...item }: Outgoing) {
  return {
    ...snakeFields(item),
    content: item.kind === 'forward' ? withoutUserinfo(item.content) : shownText(item.content),
    next_attempt_at: item.status === 'waiting' ? iso(item.nextAttemptAt) : null,
  };
}

/** Dollars, tokens and milliseconds. */
export function usageView({ costUsd, inputTokens, outputTokens, durationMs }: TaskUsage) {
  return snakeFields({ costUsd, inputTokens, outputTokens, durationMs });
}

/** A hook at a sender; without what tells its secret apart. */
export function connectionView({ fingerprint: _, ...connection }: Connection) {
  return snakeFields(connection);
}

/** A process that shares a store. */
export function machineView({ startedAt, seenAt, isGone, ...machine }: MachineInfo) {
  const state = isGone ? 'gone' : machine.running > 0 ? 'running' : 'idle';
  return { ...machine, state, started_at: iso(startedAt), seen_at: iso(seenAt) };
}

/** A line of the audit. */
export function auditView({ actor, ...entry }: AuditEntry) {
  return { ...snakeFields(entry), actor_kind: actor.kind, actor: actor.name };
}

/** Epoch milliseconds as the API writes them. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `iso`, where there may be no time. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
