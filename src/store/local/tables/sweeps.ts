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
    isClaimed: (webhook, keys) =>
      sql.one(
        `select 1 from dedupe_keys
         where webhook in (:webhook, '@') and key in (select value from json_each(:keys)) limit 1`,
        { webhook, keys },
      ) !== null,
  };
}
