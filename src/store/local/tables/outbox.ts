import type { Outgoing, OutgoingStatus } from '../../../types.ts';
import type { OutgoingFilter, StoreReader } from '../../store.ts';
import { page, type Query, type Sql } from '../sql.ts';
import { ownerIs } from './search.ts';
import { type Table, table } from './table.ts';
import { countsByStatus } from './tasks.ts';

export const OUTBOX: Table<Outgoing> = table('outbox', {
  place: ['json', 'place'],
  privateNetwork: ['flag', 'private_network'],
  uncertain: ['flag', 'uncertain'],
});

type OutboxReader = Pick<
  StoreReader,
  | 'outgoing'
  | 'postsWithButtons'
  | 'staleButtons'
  | 'outbox'
  | 'countsByOutgoingStatus'
  | 'waitingOutgoing'
  | 'responsesBefore'
>;

export function readOutbox(sql: Sql): OutboxReader {
  return {
    outgoing: (id) => OUTBOX.get(sql, id),
    postsWithButtons: (taskId) => OUTBOX.all(sql, 'where buttons_of = ? order by created_at, id', [taskId]),
    staleButtons: (limit) =>
      sql.column(
        `select distinct task_id from (
           select buttons_of as task_id, ${alike('buttons_at')} as shown,
             row_number() over (partition by coalesce(edits, id) order by created_at desc, id desc) as age
           from outbox where buttons_of is not null and status in ('waiting', 'sent')) as posts
         join tasks on tasks.id = task_id
         where age = 1 and shown <> ${alike('tasks.status')} limit ?`,
        [limit],
      ),
    outbox: (filter = {}) => OUTBOX.list(sql, listOutgoing(filter)),
    countsByOutgoingStatus: (owner) => countsByStatus<OutgoingStatus>(sql, 'outbox', owner),
    waitingOutgoing: (limit) =>
      OUTBOX.all(sql, "where status = 'waiting' order by next_attempt_at, id limit ?", [limit]),
    responsesBefore: ({ id, deliveryId }) =>
      sql.count(
        `select sum(max(attempts, 1)) from outbox
         where delivery_id = ? and kind in ('respond', 'ephemeral') and id < ?`,
        [deliveryId, id],
      ),
  };
}

export function listOutgoing(filter: OutgoingFilter): Query {
  const { status, deliveryId, owner, settledSince } = filter;
  return page(
    {
      ...{ 'status = ?': status, 'delivery_id = ?': deliveryId, 'settled_at >= ?': settledSince },
      [ownerIs(owner)]: owner,
    },
    filter,
  );
}

/** Statuses in which a task has the same buttons count as one. */
function alike(status: string): string {
  return `case ${status} when 'running' then 'queued' when 'waiting_answer' then 'queued'
    when 'cancelled' then 'failed' else ${status} end`;
}
