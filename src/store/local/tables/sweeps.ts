import { idFloor } from '../../../lib/ids.ts';
import type { Arrival, Sweep, SweepReader } from '../../sweeps.ts';
import type { Sql } from '../sql.ts';
import { table } from './table.ts';

export const SWEEPS = table<Sweep>('sweeps', {});

export function readSweeps(sql: Sql): SweepReader {
  return {
    sweeps: () => SWEEPS.all(sql, 'order by connection_id'),
    arrivals(webhook, senderDeliveryIds, since) {
      const rows = sql.all<Omit<Arrival, 'isRefused'> & { readonly isRefused: number }>(
        `select sender_delivery_id as "senderDeliveryId", min(status = 'rejected') as "isRefused" from deliveries
         where id >= :floor and (webhook = :name or webhook_id = :id)
           and sender_delivery_id in (select value from json_each(:ids))
         group by sender_delivery_id`,
        { floor: idFloor('dlv', since), ...webhook, ids: senderDeliveryIds },
      );
      return rows.map((row) => ({ ...row, isRefused: row.isRefused === 1 }));
    },
    pendingKeys: ({ name, id }) =>
      sql
        .all<{ value: string }>(
          `select value from deliveries, json_each(claims)
           where status = 'pending' and (webhook = :name or webhook_id = :id)`,
          { name, id },
        )
        .map(({ value }) => value),
    isKnown({ name, id }, { externalId, eventType, keys }) {
      const acted = sql.one(
        `select 1 from dedupe_keys
         where webhook in (:scope, '@') and key in (select value from json_each(:keys)) limit 1`,
        { scope: id ?? name, keys },
      );
      if (acted !== null || externalId === null) return acted !== null;
      // What came of nothing keeps its keys in its row alone.
      const heard = sql.one(
        `select 1 from deliveries
         where external_id = :externalId and settled_at is not null and (webhook = :name or webhook_id = :id)
           and case when :hasKeys then exists
             (select 1 from json_each(claims) where value in (select value from json_each(:keys)))
             else event_type is :eventType end limit 1`,
        { externalId, name, id, eventType, keys, hasKeys: keys.length > 0 },
      );
      return heard !== null;
    },
  };
}
