import { CLAIMANT_COLUMNS, type Claimant } from '../local/log/claims.ts';
import { operations } from '../local/operations/index.ts';
import type { Sql } from '../local/sql.ts';
import type { DeliveryRow } from '../local/tables/deliveries.ts';
import type { RunWait } from '../runs.ts';
import type { Beat } from '../shared.ts';
import { holdKeys, lockKeys, ownerOf } from './accept/keys.ts';
import { isConflict } from './client.ts';
import { agentsOfAll, beat, type Machine, mayTake, own, ownerOfRun } from './machines.ts';

/**
 * The operations of the port: those of the local store, but where PostgreSQL keeps what is memory or a file there, and where another
 * machine may have taken over meanwhile. `machine`: who runs them.
 */
export function postgresOperations(
  machine: () => Machine,
): typeof operations & { readonly beat: (sql: Sql) => Beat } {
  const mayRecord = (sql: Sql, deliveryId: string) => mayTake(sql, machine(), deliveryId);
  const isOthers = (sql: Sql, id: string) => ownerOfRun(sql, machine(), id) === 'other';
  const changed: Partial<typeof operations> = {
    recordOutcome: (sql, outcome) =>
      mayRecord(sql, outcome.deliveryId) ? operations.recordOutcome(sql, outcome) : [],
    postpone(sql, deliveryId, ...given) {
      if (mayRecord(sql, deliveryId)) operations.postpone(sql, deliveryId, ...given);
    },
    requeue(sql, deliveryId) {
      const row = sql.one<Claimant & Pick<DeliveryRow, 'status'>>(
        `select status, ${CLAIMANT_COLUMNS} from deliveries where id = ?`,
        [deliveryId],
      );
      if (row === null || row.status === 'pending') return false;
      lockKeys(sql, row);
      if (ownerOf(sql, row) !== null || !operations.requeue(sql, deliveryId)) return false;
      holdKeys(sql, row);
      own(sql, machine(), deliveryId);
      return true;
    },
    noteAgents(sql, names, at) {
      operations.noteAgents(sql, agentsOfAll(sql, machine(), names), at);
    },
    noteWaiting(sql, waits, gone) {
      operations.noteWaiting(
        sql,
        waits.filter((wait) => !isOpenElsewhere(sql, wait)),
        gone,
      );
    },
    startRun(sql, start) {
      const { wait } = start;
      if (isOpenElsewhere(sql, wait)) return null;
      const task = operations.startRun(sql, start);
      if (task === null) return null;
      const { id, host, folder } = machine();
      sql.run(
        `insert into run_owners (run_id, machine, host, folder) values (?, ?, ?, ?)
         on conflict (run_id) do update set machine = excluded.machine, host = excluded.host, folder = excluded.folder`,
        [wait.id, id, host, folder],
      );
      return task;
    },
    noteRun(sql, id, note) {
      if (!isOthers(sql, id)) operations.noteRun(sql, id, note);
    },
    // Of a machine that is gone, the first one that finds it ends it.
    endRun: (sql, ending) =>
      isOthers(sql, ending.id) || !isRunning(sql, ending.id) ? null : operations.endRun(sql, ending),
    // Every transaction writes its machine's row.
    probe: () => undefined,
    findUnused: (sql, days) => ({
      segments: days.filter((day) => dropUnused(sql, Math.trunc(day))),
      end: { segment: 0, offset: 0 },
    }),
  };
  return { ...operations, ...changed, beat: (sql: Sql) => beat(sql, machine()) };
}

function isRunning(sql: Sql, id: string): boolean {
  return sql.value("select 1 from runs where id = ? and state = 'running'", [id]) !== null;
}

/** Whether another machine has an open run of the task. */
function isOpenElsewhere(sql: Sql, { id, task }: Pick<RunWait, 'id' | 'task'>): boolean {
  return (
    sql.value('select 1 from runs where task_id = ? and ended_at is null and id <> ?', [task.id, id]) !== null
  );
}

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
