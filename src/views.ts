import { withoutUserinfo } from './lib/redact/redact.ts';
import { shownText } from './types/text.ts';
import type { AuditEntry, Decision, Delivery, Outgoing, Task, TaskUsage } from './types.ts';

/**
 * How deliveries and tasks look outside: in the API and in every `--json`. Only here camelCase becomes
 * snake_case and epoch milliseconds become ISO 8601.
 */

export type DeliveryView = ReturnType<typeof deliveryView>;
export type TaskView = ReturnType<typeof taskView>;
export type OutgoingView = ReturnType<typeof outgoingView>;
export type AuditView = ReturnType<typeof auditView>;

export function deliveryView(delivery: Delivery) {
  return {
    id: delivery.id,
    webhook: delivery.webhook,
    provider: delivery.provider,
    status: delivery.status,
    reason: delivery.reason,
    trust: delivery.trust,
    sample: delivery.isSample,
    event_type: delivery.eventType,
    external_id: delivery.externalId,
    sender: delivery.senderName,
    sender_delivery_id: delivery.senderDeliveryId,
    size: delivery.size,
    received_at: iso(delivery.receivedAt),
    settled_at: isoOrNull(delivery.settledAt),
    duplicate_of: delivery.duplicateOf,
    replay_of: delivery.replayOf,
    attempts: delivery.attempts,
    next_attempt_at: isoOrNull(delivery.nextAttemptAt),
    body_removed_at: isoOrNull(delivery.bodyRemovedAt),
    decisions: delivery.decisions.map(decisionView),
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

export function taskView(task: Task) {
  return {
    id: task.id,
    title: task.title,
    status: task.status,
    agent: task.agent,
    prompt: task.prompt,
    flow_id: task.flowId,
    conversation_id: task.conversationId,
    source: task.source,
    parent_task_id: task.parentTaskId,
    depends_on: task.dependsOn,
    initiated_task_id: task.initiatedTaskId,
    delivery_id: task.deliveryId,
    webhook: task.webhook,
    command: task.command,
    external_id: task.externalId,
    url: task.url,
    result: task.result,
    error: task.error,
    ...usageView(task.usage),
    source_metadata: task.sourceMetadata,
    unsynced: task.unsynced,
    trust: task.trust,
    sample: task.isSample,
    created_at: iso(task.createdAt),
    updated_at: iso(task.updatedAt),
    started_at: isoOrNull(task.startedAt),
    completed_at: isoOrNull(task.completedAt),
  };
}

export function outgoingView(item: Outgoing) {
  return {
    id: item.id,
    kind: item.kind,
    provider: item.provider,
    delivery_id: item.deliveryId,
    place: item.place,
    content: item.kind === 'forward' ? withoutUserinfo(item.content) : shownText(item.content),
    edits: item.edits,
    status: item.status,
    reason: item.reason,
    attempts: item.attempts,
    uncertain: item.uncertain,
    next_attempt_at: item.status === 'waiting' ? iso(item.nextAttemptAt) : null,
    remote_id: item.remoteId,
    created_at: iso(item.createdAt),
    settled_at: isoOrNull(item.settledAt),
  };
}

/** Dollars, tokens and milliseconds. */
export function usageView({ costUsd, inputTokens, outputTokens, durationMs }: TaskUsage) {
  return {
    cost_usd: costUsd,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    duration_ms: durationMs,
  };
}

function decisionView(decision: Decision) {
  return {
    event: decision.event,
    event_type: decision.eventType,
    command: decision.command,
    fired: decision.fired,
    reason: decision.reason,
    task_ids: decision.taskIds,
    error: decision.error,
  };
}

/** A line of the audit. */
export function auditView({ id, at, actor, what, target, details, revision }: AuditEntry) {
  return { id, at: iso(at), actor_kind: actor.kind, actor: actor.name, what, target, details, revision };
}

/** Epoch milliseconds as the API writes them. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `iso`, where there may be no time. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
