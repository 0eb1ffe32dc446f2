import { failure } from '../../errors.ts';
import type { Sql } from '../local/sql.ts';

/** One start of a process that writes. */
export interface Machine {
  readonly id: string;
  /** Name of the computer. */
  readonly host: string;
  /** What was started there: `serve`. */
  readonly command: string;
  readonly version: string;
  readonly pid: number;
}

/** How long what a machine has taken on is its own without another sign of it, in seconds. */
const LEASE_S = 15;
const LEASE = `clock_timestamp() + interval '${LEASE_S} s'`;

/** Adds a machine. One that is there stays. */
export function join(sql: Sql, { id, host, command, version, pid }: Machine): void {
  sql.run(
    `insert into machines (id, host, command, version, pid, lease_until)
     values (:id, :host, :command, :version, :pid, ${LEASE}) on conflict (id) do nothing`,
    { id, host, command, version, pid },
  );
}

/**
 * Notes that it lives and which transaction this is, before anything else in it. Throws `lease_lost` when another machine has taken
 * over its work meanwhile: nothing that it did since may be recorded.
 */
export function beat(sql: Sql, { id }: Machine, number: number): void {
  const changed = sql.run(
    `update machines set seen_at = clock_timestamp(), lease_until = ${LEASE}, last_write = :number where id = :id`,
    { id, number },
  );
  if (changed === 0)
    throw failure(
      'lease_lost',
      'the database heard nothing of this server for too long, and others took over',
    );
}

/** The machine is done. */
export function leave(sql: Sql, { id }: Machine): void {
  sql.run('delete from machines where id = ?', [id]);
}
