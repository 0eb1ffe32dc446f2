import { existsSync } from 'node:fs';
import { openForReading } from './sqlite.ts';

/** The last thing that a webhook received. */
export interface LastDelivery {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

/*
 * The one query that is not compiled by kysely: reading kysely takes four times as long as Node needs to start, and
 * this is for the command that people type most. It needs three columns that were there from the first schema on, so
 * that it reads what an older or a newer hookctl wrote, too.
 */
const LAST_OF_WEBHOOK = `
  select id, received_at as receivedAt from deliveries where webhook = ? order by id desc limit 1
`;

/**
 * What each of these webhooks received last; those that received nothing are missing. Takes a look into an index for
 * each, however many deliveries there are.
 */
export function lastDeliveries(path: string, webhooks: readonly string[]): ReadonlyMap<string, LastDelivery> {
  if (!existsSync(path)) return new Map();
  const db = openForReading(path);
  try {
    // A db that is just being made has no tables yet.
    if (db.prepare('pragma user_version').get()?.user_version === 0) return new Map();
    const last = db.prepare(LAST_OF_WEBHOOK);
    return new Map(
      webhooks.flatMap((name) => {
        const row = last.get(name);
        return row === undefined ? [] : [[name, row as unknown as LastDelivery] as const];
      }),
    );
  } finally {
    db.close();
  }
}
