import { existsSync } from 'node:fs';
import { openForWriting } from './sqlite.ts';

/** How a state that is to be put in force differs from the one that is. */
export interface Loss {
  /** Deliveries that are stored now and not in it. */
  readonly deliveries: number;
  /** Ids of the tasks that are stored now and not in it. */
  readonly tasks: readonly string[];
  /** Deliveries and tasks in it that the next server goes on with. */
  readonly open: { readonly deliveries: number; readonly tasks: number };
}

const OPEN_DELIVERIES = "select count(*) as count from deliveries where status = 'pending'";
const OPEN_TASKS =
  "select count(*) as count from tasks where status not in ('completed', 'failed', 'cancelled')";
const LOST_DELIVERIES =
  'select count(*) as count from present.deliveries where id not in (select id from deliveries)';
const LOST_TASKS = 'select id from present.tasks where id not in (select id from tasks) order by id';

/** Compares two dbs of this code's schema; null when the present one is not there or can't be read. */
export function lossOf(present: string, later: string): Loss | null {
  if (!existsSync(present)) return null;
  try {
    // The last connection that may write folds the log into the db, so that only the db is moved.
    const db = openForWriting(later);
    try {
      db.prepare('attach ? as present').run(present);
      const count = (sql: string) => Number(db.prepare(sql).get()?.count);
      return {
        deliveries: count(LOST_DELIVERIES),
        tasks: db
          .prepare(LOST_TASKS)
          .all()
          .map(({ id }) => String(id)),
        open: { deliveries: count(OPEN_DELIVERIES), tasks: count(OPEN_TASKS) },
      };
    } finally {
      db.close();
    }
  } catch {
    // A damaged db may be the reason for the restore.
    return null;
  }
}
