import type { Connection } from '../../../types.ts';
import type { Sql } from '../sql.ts';
import { CONNECTIONS } from '../tables/connections.ts';

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
