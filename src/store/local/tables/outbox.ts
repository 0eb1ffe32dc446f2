import type { Outgoing, OutgoingStatus } from '../../../types.ts';
import type { OutgoingFilter, StoreReader } from '../../store.ts';
import { page, type Query, type Sql } from '../sql.ts';
import { type Table, table } from './table.ts';
import { countsByStatus } from './tasks.ts';

export const OUTBOX: Table<Outgoing> = table('outbox', {
  place: ['json', 'place'],
  privateNetwork: ['flag', 'private_network'],
  uncertain: ['flag', 'uncertain'],
});

type OutboxReader = Pick<
  StoreReader,
  'outgoing' | 'outbox' | 'countsByOutgoingStatus' | 'waitingOutgoing' | 'responsesBefore'
>;

export function readOutbox(sql: Sql): OutboxReader {
  return {
    outgoing: (id) => OUTBOX.get(sql, id),
    outbox: (filter = {}) => OUTBOX.list(sql, listOutgoing(filter)),
    countsByOutgoingStatus: () => countsByStatus<OutgoingStatus>(sql, 'outbox'),
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
  return page({ 'status = ?': filter.status, 'delivery_id = ?': filter.deliveryId }, filter);
}
