import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { storeBody } from './bodies.ts';
import { compileOnce } from './compile-once.ts';
import { type DeliveryRow, sqlBuilder } from './schema.ts';
import type { NewDelivery, NewRejection } from './store.ts';

const REJECTIONS_KEPT = 1_000;

/** First of the other deliveries that own a key which the row at hand claims; null when all are free. */
const keyOwner: RawBuilder<string | null> = sql`(
  select min(owner.delivery_id) from dedupe_keys as owner
  where owner.webhook = deliveries.webhook
    and owner.key in (select value from json_each(deliveries.claims))
    and owner.delivery_id <> deliveries.id
)`;

/**
 * Stores a delivery and, unless it is a duplicate, its keys and bytes. One job; its only row, if any, names the
 * delivery of which this is a duplicate.
 */
export function acceptDelivery(
  delivery: NewDelivery,
): readonly CompiledQuery<{ duplicate_of: string | null }>[] {
  return [
    insertDelivery(delivery),
    markDuplicate({ id: delivery.id }),
    claimKeys({ id: delivery.id }),
    storeBody({ deliveryId: delivery.id, bytes: delivery.body }),
  ];
}

/** Stores a rejected request and removes the oldest of those that are too many. One job. */
export function recordRejection(rejection: NewRejection): readonly CompiledQuery<never>[] {
  return [insertRejection(rejection), trimRejections()];
}

/** Makes a failed or ignored delivery pending again if its keys are free. One job; a row: it was done. */
export function requeueDelivery(deliveryId: string): readonly CompiledQuery<{ id: string }>[] {
  const reopen = sqlBuilder
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
    .where(keyOwner, 'is', null)
    .returning('id')
    .compile();
  return [reopen, claimKeys({ id: deliveryId })];
}

function insertDelivery({ dedupeKeys, ...delivery }: NewDelivery): CompiledQuery<never> {
  return insertRow({
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
    claims: JSON.stringify(delivery.status === 'pending' ? dedupeKeys : []),
  });
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
  });
}

function commonColumns(from: Omit<NewRejection, 'reason' | 'size'> & { readonly reason: string | null }) {
  return {
    id: from.id,
    webhook: from.webhook,
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

const markDuplicate = compileOnce(({ id }: { readonly id: string }) =>
  sqlBuilder
    .updateTable('deliveries')
    .set({
      status: 'duplicate',
      duplicate_of: keyOwner,
      reason: sql<string>`'the same as ' || ${keyOwner}`,
      claims: '[]',
    })
    .where('id', '=', id)
    .where(keyOwner, 'is not', null)
    .returning('duplicate_of')
    .compile(),
);

/** Claims the keys of a pending delivery; those it owns already stay its own. */
const claimKeys = compileOnce(({ id }: { readonly id: string }) => {
  const claims = sqlBuilder
    .selectFrom('deliveries')
    .innerJoin(sql<{ value: string }>`json_each(deliveries.claims)`.as('claim'), (join) => join.onTrue())
    .select(['deliveries.webhook', 'claim.value', 'deliveries.id'])
    .where('deliveries.id', '=', id)
    .where('deliveries.status', '=', 'pending');
  return sqlBuilder
    .insertInto('dedupe_keys')
    .columns(['webhook', 'key', 'delivery_id'])
    .expression(claims)
    .onConflict((conflict) => conflict.doNothing())
    .compile() as CompiledQuery<never>;
});

function trimRejections(): CompiledQuery<never> {
  const rejected = sqlBuilder.selectFrom('deliveries').select('id').where('status', '=', 'rejected');
  const newestTooMany = rejected.orderBy('id', 'desc').limit(1).offset(REJECTIONS_KEPT);
  return sqlBuilder
    .deleteFrom('deliveries')
    .where('status', '=', 'rejected')
    .where('id', '<=', newestTooMany)
    .compile() as CompiledQuery<never>;
}
