import { existsSync } from 'node:fs';
import { openSql } from './sql.ts';
import { openForReading } from './sqlite.ts';

/** The last thing that a webhook received. */
export interface LastDelivery {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

/**
 * What each of these webhooks received last; those that received nothing are missing. Takes a look into an index for each, at
 * columns that were there from the first schema on: it reads what an older or a newer hookctl wrote, too.
 */
export function lastDeliveries(path: string, webhooks: readonly string[]): ReadonlyMap<string, LastDelivery> {
  if (!existsSync(path)) return new Map();
  const db = openForReading(path);
  try {
    const sql = openSql(db);
    // A db that is just being made has no tables yet.
    if (sql.one<{ user_version: number }>('pragma user_version')?.user_version === 0) return new Map();
    const last =
      'select id, received_at as receivedAt from deliveries where webhook = ? order by id desc limit 1';
    return new Map(
      webhooks.flatMap((name) => {
        const row = sql.one<LastDelivery>(last, [name]);
        return row === null ? [] : [[name, row] as const];
      }),
    );
  } finally {
    db.close();
  }
}
