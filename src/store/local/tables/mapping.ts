import type { Conversation, Delivery, Flow, Outgoing, Task, TaskUsage, Transition } from '../../../types.ts';
import type { FlowAlias, PendingDelivery, WebhookCounts } from '../../store.ts';
import type {
  ConversationRow,
  DeliveryRow,
  FlowAliasRow,
  FlowRow,
  OutboxRow,
  TaskRow,
  TransitionRow,
} from './rows.ts';

/** The one place where snake_case rows become the camelCase vocabulary. */

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    webhook: row.webhook,
    webhookId: row.webhook_id,
    provider: row.provider,
    status: row.status,
    trust: row.trust,
    reason: row.reason,
    senderDeliveryId: row.sender_delivery_id,
    eventType: row.event_type,
    externalId: row.external_id,
    senderName: row.sender_name,
    headers: JSON.parse(row.headers),
    query: row.query,
    size: row.size,
    receivedAt: row.received_at,
    settledAt: row.settled_at,
    duplicateOf: row.duplicate_of,
    replayOf: row.replay_of,
    replies: row.replies === 1,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    decisions: JSON.parse(row.decisions),
    bodyRemovedAt: row.body_removed_at,
    isSample: row.sample === 1,
  };
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    title: row.title,
    status: row.status,
    agent: row.agent,
    prompt: row.prompt,
    flowId: row.flow_id,
    conversationId: row.conversation_id,
    source: row.source,
    parentTaskId: row.parent_task_id,
    dependsOn: JSON.parse(row.depends_on),
    initiatedTaskId: row.initiated_task_id,
    deliveryId: row.delivery_id,
    webhook: row.webhook,
    command: row.command,
    externalId: row.external_id,
    url: row.url,
    result: row.result,
    error: row.error,
    sourceMetadata: JSON.parse(row.source_metadata),
    syncToClaudeTasks: row.sync_to_claude === 1,
    unsynced: row.unsynced,
    trust: row.trust,
    isSample: row.sample === 1,
    usage: toUsage(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

export function toTransition(row: Omit<TransitionRow, 'id'>): Transition {
  return {
    event: row.event,
    from: row.from_status,
    to: row.to_status,
    actor: row.actor,
    reason: row.reason,
    at: row.at,
  };
}

export function toFlow(row: FlowRow): Flow {
  return {
    id: row.id,
    externalId: row.external_id,
    currentConversationId: row.current_conversation_id,
    createdAt: row.created_at,
  };
}

/** A row of `listConversations`. */
export interface ConversationTotalsRow extends ConversationRow, UsageColumns {
  /** JSON object of counts. */
  readonly by_status: string;
  readonly average_cost_usd: number | null;
  readonly started_at: number | null;
  readonly completed_at: number | null;
}

export function toConversation(row: ConversationTotalsRow): Conversation {
  return {
    id: row.id,
    flowId: row.flow_id,
    createdAt: row.created_at,
    byStatus: JSON.parse(row.by_status),
    usage: toUsage(row),
    averageCostUsd: row.average_cost_usd,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

type UsageColumns = Pick<TaskRow, 'cost_usd' | 'input_tokens' | 'output_tokens' | 'duration_ms'>;

function toUsage(row: UsageColumns): TaskUsage {
  return {
    costUsd: row.cost_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    durationMs: row.duration_ms,
  };
}

export function toOutgoing(row: OutboxRow): Outgoing {
  return {
    id: row.id,
    kind: row.kind,
    provider: row.provider,
    deliveryId: row.delivery_id,
    place: JSON.parse(row.place),
    content: row.content,
    edits: row.edits,
    privateNetwork: row.private_network === 1,
    status: row.status,
    reason: row.reason,
    attempts: row.attempts,
    uncertain: row.uncertain === 1,
    nextAttemptAt: row.next_attempt_at,
    remoteId: row.remote_id,
    createdAt: row.created_at,
    settledAt: row.settled_at,
  };
}

export function toPendingDelivery(
  row: Pick<DeliveryRow, 'id' | 'external_id' | 'attempts' | 'next_attempt_at'>,
): PendingDelivery {
  return {
    id: row.id,
    externalId: row.external_id,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
  };
}

/** A row of `countDeliveries`. */
interface CountRow extends Pick<DeliveryRow, 'webhook' | 'status'> {
  readonly count: number;
  readonly last_id: string;
  readonly last_received_at: number;
}

export function toWebhookCounts(rows: readonly CountRow[]): readonly WebhookCounts[] {
  const byWebhook = Map.groupBy(rows, (row) => row.webhook);
  return [...byWebhook].map(([webhook, counts]) => {
    const last = counts.reduce((newest, row) => (row.last_id > newest.last_id ? row : newest));
    return {
      webhook,
      total: counts.reduce((sum, row) => sum + row.count, 0),
      byStatus: Object.fromEntries(counts.map((row) => [row.status, row.count])),
      lastDeliveryId: last.last_id,
      lastReceivedAt: last.last_received_at,
    };
  });
}

export function toFlowAlias({ alias, flow_id, stable }: FlowAliasRow): FlowAlias {
  return { alias, flowId: flow_id, stable: stable === 1 };
}
