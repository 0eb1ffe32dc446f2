import type { CompiledQuery } from 'kysely';
import { NO_WEBHOOK } from '../../../types.ts';
import type { NewDelivery, NewRejection } from '../../store.ts';
import type { RecordedRow } from '../log/record.ts';
import { compileOnce, sqlBuilder } from './builder.ts';
import { type DeliveryRow } from './rows.ts';

const REJECTIONS_KEPT = 1_000;
/** Of requests to no webhook, which must not push those of webhooks out. */
const UNROUTED_KEPT = 200;

/** The row of a delivery as it is accepted; whether it is a duplicate is found out where it is written. */
export function rowOf(delivery: NewDelivery): RecordedRow {
  return {
    ...commonColumns(delivery),
    status: delivery.status,
    trust: delivery.trust,
    external_id: delivery.externalId,
    sender_name: delivery.senderName,
    headers: JSON.stringify(delivery.headers),
    query: delivery.query,
    size: delivery.body.byteLength,
    replay_of: delivery.replayOf,
    replies: delivery.replies ? 1 : 0,
    settled_at: delivery.settledAt,
    decisions: JSON.stringify(delivery.decisions),
    claims: JSON.stringify(delivery.dedupeKeys),
    by_person: delivery.isByPerson ? 1 : 0,
    sample: delivery.isSample ? 1 : null,
  };
}

/** Stores a rejected request and removes the oldest of those that are too many. One job. */
export function recordRejection(rejection: NewRejection): readonly CompiledQuery<never>[] {
  return [insertRejection(rejection), trimRejections(rejection.webhook === NO_WEBHOOK)];
}

/** Makes a failed or ignored delivery pending again. A row: it was done. */
export function requeueDelivery(deliveryId: string): CompiledQuery<{ id: string }> {
  return sqlBuilder
    .updateTable('deliveries')
    .set({
      status: 'pending',
      reason: null,
      attempts: 0,
      next_attempt_at: null,
      settled_at: null,
      decisions: '[]',
    })
    .where('id', '=', deliveryId)
    .where('status', 'in', ['failed', 'ignored'])
    .where('body_removed_at', 'is', null)
    .returning('id')
    .compile();
}

function insertRejection(rejection: NewRejection): CompiledQuery<never> {
  return insertRow({
    ...commonColumns(rejection),
    status: 'rejected',
    trust: null,
    external_id: null,
    sender_name: null,
    headers: '{}',
    query: '',
    size: rejection.size,
    replay_of: null,
    replies: 0,
    claims: '[]',
    by_person: null,
    sample: null,
    body_segment: null,
    body_offset: null,
    body_removed_at: null,
  });
}

function commonColumns(from: Omit<NewRejection, 'reason' | 'size'> & { readonly reason: string | null }) {
  return {
    id: from.id,
    webhook: from.webhook,
    webhook_id: from.webhookId,
    provider: from.provider,
    reason: from.reason,
    sender_delivery_id: from.senderDeliveryId,
    event_type: from.eventType,
    received_at: from.receivedAt,
    settled_at: null,
    duplicate_of: null,
    attempts: 0,
    next_attempt_at: null,
    decisions: '[]',
  };
}

const insertRow = compileOnce(
  (row: DeliveryRow) => sqlBuilder.insertInto('deliveries').values(row).compile() as CompiledQuery<never>,
);

function trimRejections(unrouted: boolean): CompiledQuery<never> {
  const rejected = sqlBuilder
    .selectFrom('deliveries')
    .select('id')
    .where('status', '=', 'rejected')
    .where('webhook', unrouted ? '=' : '<>', NO_WEBHOOK);
  const kept = unrouted ? UNROUTED_KEPT : REJECTIONS_KEPT;
  const newestTooMany = rejected.orderBy('id', 'desc').limit(1).offset(kept);
  return sqlBuilder
    .deleteFrom('deliveries')
    .where('status', '=', 'rejected')
    .where('webhook', unrouted ? '=' : '<>', NO_WEBHOOK)
    .where('id', '<=', newestTooMany)
    .compile() as CompiledQuery<never>;
}
