import { type CompiledQuery, type Expression, sql } from 'kysely';
import type { NewOutgoing, Outgoing, OutgoingStatus } from '../../../types.ts';
import type { OutgoingFilter, OutgoingNote } from '../../store.ts';
import type { TaskChange, TaskReply } from '../../tasks.ts';
import { PAGE_SIZE, sqlBuilder, whole } from './builder.ts';
import type { OutboxRow } from './rows.ts';

const COLUMNS = [
  'id',
  'kind',
  'provider',
  'delivery_id',
  'place',
  'content',
  'edits',
  'private_network',
  'status',
  'attempts',
  'uncertain',
  'next_attempt_at',
  'created_at',
] as const;

/** Part of recording an outcome: only while the delivery is pending, so that a second one sends nothing again. */
export function insertOutgoing(item: NewOutgoing, deliveryId: string, now: number): CompiledQuery<never> {
  return insertRows(outgoingRow(item, deliveryId, now).where('deliveries.status', '=', 'pending'));
}

/**
 * A part of a task's step: only while the task is where the step begins. What waits to edit the same comment is no
 * longer to the point.
 */
export function insertReply({ taskId, from, reply, at }: TaskChange): readonly CompiledQuery<never>[] {
  if (reply === null) return [];
  const { item, deliveryId } = reply;
  const task = sqlBuilder
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', taskId)
    .where('status', '=', from);
  const supersede = sqlBuilder
    .updateTable('outbox')
    .set({ status: 'dropped', reason: 'a later step of the task took its place', settled_at: at })
    .where('edits', '=', item.edits)
    .where('status', '=', 'waiting')
    .where('attempts', '=', 0)
    .where((eb) => eb.exists(task))
    .compile() as CompiledQuery<never>;
  const insert = insertRows(outgoingRow(item, deliveryId, at).where((eb) => eb.exists(task)));
  return item.edits === null ? [insert] : [supersede, insert];
}

/** What belongs to no step. */
export function insertComment(
  item: NewOutgoing,
  deliveryId: string,
  now: number,
): CompiledQuery<{ id: string }> {
  return sqlBuilder
    .insertInto('outbox')
    .columns(COLUMNS)
    .expression(outgoingRow(item, deliveryId, now))
    .returning('id')
    .compile();
}

/** What is to be said unless it was said already: `isSaid` finds something then. */
export function insertUnless(
  isSaid: Expression<unknown>,
  { item, deliveryId }: Omit<TaskReply, 'becomesTaskComment'>,
  now: number,
): CompiledQuery<never> {
  return insertRows(outgoingRow(item, deliveryId, now).where((eb) => eb.not(eb.exists(isSaid))));
}

function insertRows(rows: ReturnType<typeof outgoingRow>): CompiledQuery<never> {
  return sqlBuilder.insertInto('outbox').columns(COLUMNS).expression(rows).compile() as CompiledQuery<never>;
}

function outgoingRow(item: NewOutgoing, deliveryId: string, now: number) {
  return sqlBuilder
    .selectFrom('deliveries')
    .select((eb) => [
      eb.val(item.id).as('id'),
      eb.val(item.kind).as('kind'),
      'deliveries.provider',
      'deliveries.id as delivery_id',
      eb.val(JSON.stringify(item.place)).as('place'),
      eb.val(item.content).as('content'),
      eb.val(item.edits).as('edits'),
      eb.val(item.privateNetwork ? 1 : 0).as('private_network'),
      sql<'waiting'>`'waiting'`.as('status'),
      eb.val(0).as('attempts'),
      eb.val(0).as('uncertain'),
      eb.val(now).as('next_attempt_at'),
      eb.val(now).as('created_at'),
    ])
    .where('deliveries.id', '=', deliveryId);
}

export function outgoingById(id: string): CompiledQuery<OutboxRow> {
  return sqlBuilder.selectFrom('outbox').selectAll().where('id', '=', id).compile();
}

export function listOutgoing(filter: OutgoingFilter): CompiledQuery<OutboxRow> {
  const { status, deliveryId, before, limit = PAGE_SIZE } = filter;
  return sqlBuilder
    .selectFrom('outbox')
    .selectAll()
    .where((eb) =>
      eb.and([
        ...(status === undefined ? [] : [eb('status', '=', status)]),
        ...(deliveryId === undefined ? [] : [eb('delivery_id', '=', deliveryId)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', 'desc')
    .limit(limit)
    .compile();
}

export function waitingOutgoing(limit: number): CompiledQuery<OutboxRow> {
  return sqlBuilder
    .selectFrom('outbox')
    .selectAll()
    .where('status', '=', 'waiting')
    .orderBy('next_attempt_at')
    .orderBy('id')
    .limit(limit)
    .compile();
}

/** Earlier items through the reply channel of one delivery, each tried at least once. */
export function responsesBefore({ id, deliveryId }: Pick<Outgoing, 'id' | 'deliveryId'>) {
  return sqlBuilder
    .selectFrom('outbox')
    .select(sql<number>`coalesce(sum(max(attempts, 1)), 0)`.as('count'))
    .where('delivery_id', '=', deliveryId)
    .where('kind', 'in', ['respond', 'ephemeral'])
    .where('id', '<', id)
    .compile();
}

export function beginOutgoing(id: string): CompiledQuery<never> {
  return sqlBuilder
    .updateTable('outbox')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), uncertain: 1 }))
    .where('id', '=', id)
    .where('status', '=', 'waiting')
    .compile() as CompiledQuery<never>;
}

export function noteOutgoing(id: string, note: OutgoingNote): CompiledQuery<never> {
  return sqlBuilder
    .updateTable('outbox')
    .set({
      status: note.status,
      reason: note.reason,
      uncertain: note.uncertain ? 1 : 0,
      next_attempt_at: whole(note.nextAttemptAt),
      remote_id: note.remoteId,
      settled_at: note.settledAt,
    })
    .where('id', '=', id)
    .where('status', '=', 'waiting')
    .compile() as CompiledQuery<never>;
}

export function retryOutgoing(id: string, now: number): CompiledQuery<{ id: string }> {
  return sqlBuilder
    .updateTable('outbox')
    .set({ status: 'waiting', attempts: 0, next_attempt_at: now, settled_at: null })
    .where('id', '=', id)
    .where('status', 'in', ['failed', 'dropped'])
    .returning('id')
    .compile();
}

export function dropOutgoing(id: string, now: number): CompiledQuery<{ id: string }> {
  return sqlBuilder
    .updateTable('outbox')
    .set({ status: 'dropped', settled_at: now })
    .where('id', '=', id)
    .where('status', 'in', ['waiting', 'failed'])
    .returning('id')
    .compile();
}

/** How many of what leaves are in each state. Answered from an index alone. */
export function countOutgoing(): CompiledQuery<{ status: OutgoingStatus; count: number }> {
  return sqlBuilder
    .selectFrom('outbox')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .groupBy('status')
    .compile();
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
