import type { Connection } from '../../../types.ts';
import type { Sweep } from '../../sweeps.ts';
import type { Sql } from '../sql.ts';
import { CONNECTIONS } from '../tables/connections.ts';
import { SWEEPS } from '../tables/sweeps.ts';

/** All but its id, which others refer to. */
type Changes = Partial<Omit<Connection, 'id'>>;

/**
 * Records a hook before it is made at the sender. Throws for a target that the webhook is connected with already: the table
 * has one row for both.
 */
export function addConnection(sql: Sql, connection: Connection): void {
  CONNECTIONS.insert(sql, connection);
}

/**
 * Changes the fields that are given.
 * A record that was forgotten meanwhile stays so: its hook was removed.
 */
export function changeConnection(sql: Sql, id: string, changed: Changes): boolean {
  return CONNECTIONS.update(sql, id, changed);
}

/** The hook is gone at the sender, too, or belongs to another record. */
export function forgetConnection(sql: Sql, id: string): void {
  sql.run('delete from connections where id = ?', [id]);
}

export function noteSweep(sql: Sql, sweep: Sweep): void {
  sql.run('delete from sweeps where connection_id = ?', [sweep.connectionId]);
  if (sql.one('select 1 from connections where id = ?', [sweep.connectionId]) !== null)
    SWEEPS.insert(sql, sweep);
}
