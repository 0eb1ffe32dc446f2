import { type CompiledQuery, sql } from 'kysely';
import { type Delivery, NO_WEBHOOK } from '../../../types.ts';
import type {
  DeliveryFilter,
  NewDelivery,
  NewRejection,
  PendingDelivery,
  SettledFilter,
  WebhookCounts,
} from '../../store.ts';
import type { BodyLocation } from '../log/body-log.ts';
import type { RecordedRow } from '../log/record.ts';
import { compileOnce, PAGE_SIZE, sqlBuilder } from './builder.ts';
import type { DeliveryRow } from './rows.ts';

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

export const deliveryById = compileOnce(
  ({ id }: { readonly id: string }): CompiledQuery<DeliveryRow> =>
    sqlBuilder.selectFrom('deliveries').selectAll().where('id', '=', id).compile(),
);

export const bodyLocation = compileOnce(
  ({ id }: { readonly id: string }): CompiledQuery<BodyLocation> =>
    sqlBuilder
      .selectFrom('deliveries')
      .select(['id', 'size', 'body_segment', 'body_offset'])
      .where('id', '=', id)
      .compile(),
);

export function listDeliveries(filter: DeliveryFilter): CompiledQuery<DeliveryRow> {
  const { status, webhook, after, before, limit = PAGE_SIZE } = filter;
  return sqlBuilder
    .selectFrom('deliveries')
    .selectAll()
    .where((eb) =>
      eb.and([
        ...(status === undefined ? [] : [eb('status', '=', status)]),
        ...(webhook === undefined ? [] : [eb('webhook', '=', webhook)]),
        ...(after === undefined ? [] : [eb('id', '>', after)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', after === undefined ? 'desc' : 'asc')
    .limit(limit)
    .compile();
}

export function pendingDeliveries(after: string | null, limit: number) {
  return sqlBuilder
    .selectFrom('deliveries')
    .select(['id', 'external_id', 'attempts', 'next_attempt_at'])
    .where('status', '=', 'pending')
    .where('id', '>', after ?? '')
    .orderBy('id')
    .limit(limit)
    .compile();
}

/** One row per webhook and status, with the newest delivery of both. Answered from an index alone. */
export function countDeliveries(webhooks?: readonly string[]) {
  const deliveries = sqlBuilder.selectFrom('deliveries');
  const counted =
    webhooks === undefined
      ? deliveries
      : deliveries.where(sql<boolean>`webhook in (select value from json_each(${JSON.stringify(webhooks)}))`);
  return counted
    .select((eb) => [
      'webhook',
      'status',
      eb.fn.countAll<number>().as('count'),
      eb.fn.max('id').as('last_id'),
      eb.fn.max('received_at').as('last_received_at'),
    ])
    .groupBy(['webhook', 'status'])
    .orderBy('webhook')
    .compile();
}

/** The delivery that acted and holds a key that counts for all webhooks. */
export const holderOf = compileOnce(
  ({ key }: { readonly key: string }): CompiledQuery<{ delivery_id: string }> =>
    sqlBuilder
      .selectFrom('dedupe_keys')
      .select('delivery_id')
      .where('webhook', '=', '@')
      .where('key', '=', key)
      .where('acted', '=', 1)
      .compile(),
);

/** Deliveries of one thread that were settled as the filter says. Replays and texts that a person wrote do not count. */
export function countSettled(externalId: string, { status, since, reason = '' }: SettledFilter) {
  return sqlBuilder
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('external_id', '=', externalId)
    .where('settled_at', '>', since)
    .where('status', '=', status)
    .where('reason', 'like', `${reason}%`)
    .where('replay_of', 'is', null)
    .where('by_person', 'is not', 1)
    .compile();
}

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
