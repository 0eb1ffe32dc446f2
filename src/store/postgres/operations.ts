import { CLAIMANT_COLUMNS, type Claimant } from '../local/log/claims.ts';
import { operations } from '../local/operations/index.ts';
import type { Sql } from '../local/sql.ts';
import type { DeliveryRow } from '../local/tables/deliveries.ts';
import { isConflict } from './client.ts';
import { holdKeys, lockKeys, ownerOf } from './keys.ts';

/** The operations of the port: those of the local store, but where PostgreSQL keeps what is memory or a file there. */
export const postgresOperations: typeof operations = {
  ...operations,
  requeue(sql, deliveryId) {
    const row = sql.one<Claimant & Pick<DeliveryRow, 'status'>>(
      `select status, ${CLAIMANT_COLUMNS} from deliveries where id = ?`,
      [deliveryId],
    );
    if (row === null || row.status === 'pending') return false;
    lockKeys(sql, row);
    if (ownerOf(sql, row) !== null || !operations.requeue(sql, deliveryId)) return false;
    holdKeys(sql, row);
    return true;
  },
  // Every transaction writes its machine's row.
  probe: () => undefined,
  findUnused: (sql, days) => ({
    segments: days.filter((day) => dropUnused(sql, Math.trunc(day))),
    end: { segment: 0, offset: 0 },
  }),
};

/** For readers and those who accept, in ms: they wait behind this lock. */
const LOCK_TIMEOUT_MS = 100;

/** Drops the bodies of a day when no delivery needs one. False when one does, or while the day is in use. */
function dropUnused(sql: Sql, day: number): boolean {
  const name = `bodies_${day}`;
  sql.run('savepoint day');
  try {
    sql.run(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    // Before the look: what is being accepted may come to this day.
    sql.run(`lock table bodies, ${name} in access exclusive mode`);
    const isUsed = sql.value('select 1 from deliveries where body_segment = ? limit 1', [day]) !== null;
    const isEmpty = sql.value(`select 1 from ${name} limit 1`) === null;
    if (!isUsed && !isEmpty) sql.run(`drop table ${name}`);
    sql.run('set local lock_timeout = 0');
    return !isUsed && !isEmpty;
  } catch (error) {
    if (!isConflict(error)) throw error;
    sql.run('rollback to day');
    return false;
  }
}
