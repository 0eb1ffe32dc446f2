import type { Outgoing, OutgoingKind, OutgoingStatus } from '../../../types.ts';
import type { OutgoingFilter, StoreReader } from '../../store.ts';
import { PAGE_SIZE, type Query, type Sql, where } from '../sql.ts';

/** A row of `outbox`. Times are epoch milliseconds, booleans 0 or 1. */
interface OutboxRow {
  readonly id: string;
  readonly kind: OutgoingKind;
  readonly provider: string;
  readonly delivery_id: string;
  readonly place: string;
  readonly content: string;
  readonly edits: string | null;
  readonly private_network: number;
  readonly status: OutgoingStatus;
  readonly reason: string | null;
  readonly attempts: number;
  readonly uncertain: number;
  readonly next_attempt_at: number;
  readonly remote_id: string | null;
  readonly created_at: number;
  readonly settled_at: number | null;
}

type OutboxReader = Pick<
  StoreReader,
  'outgoing' | 'outbox' | 'countsByOutgoingStatus' | 'waitingOutgoing' | 'responsesBefore'
>;

export function readOutbox(sql: Sql): OutboxReader {
  return {
    outgoing(id) {
      const row = sql.one<OutboxRow>('select * from outbox where id = ?', [id]);
      return row === null ? null : toOutgoing(row);
    },
    outbox(filter = {}) {
      const { text, values } = listOutgoing(filter);
      return sql.all<OutboxRow>(text, values).map(toOutgoing);
    },
    countsByOutgoingStatus() {
      // An index alone answers it.
      const rows = sql.all<{ status: OutgoingStatus; count: number }>(
        'select status, count(*) as count from outbox group by status',
      );
      return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
    },
    waitingOutgoing: (limit) =>
      sql
        .all<OutboxRow>(
          "select * from outbox where status = 'waiting' order by next_attempt_at, id limit ?",
          [limit],
        )
        .map(toOutgoing),
    responsesBefore: ({ id, deliveryId }) =>
      sql.one<{ count: number }>(
        `select coalesce(sum(max(attempts, 1)), 0) as count from outbox
         where delivery_id = ? and kind in ('respond', 'ephemeral') and id < ?`,
        [deliveryId, id],
      )?.count ?? 0,
  };
}

export function listOutgoing({ status, deliveryId, before, limit = PAGE_SIZE }: OutgoingFilter): Query {
  const { text, values } = where({ 'status = ?': status, 'delivery_id = ?': deliveryId, 'id < ?': before });
  return { text: `select * from outbox ${text} order by id desc limit ?`, values: [...values, limit] };
}

function toOutgoing(row: OutboxRow): Outgoing {
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
