import { existsSync } from 'node:fs';
import { reading } from './sql.ts';

/** The last thing that a webhook received. */
export interface LastDelivery {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

const LAST =
  'select id, received_at as "receivedAt" from deliveries where webhook = ? order by id desc limit 1';

/**
 * What each of these webhooks received last; those that received nothing are missing. Takes a look into an index for each, at
 * columns that were there from the first schema on: it reads what an older or a newer hookctl wrote, too.
 */
export function lastDeliveries(path: string, webhooks: readonly string[]): ReadonlyMap<string, LastDelivery> {
  if (!existsSync(path)) return new Map();
  return reading(path, (sql) => {
    // A db that is just being made has no tables yet.
    const isEmpty = sql.count('pragma user_version') === 0;
    const found = isEmpty ? [] : webhooks.map((name) => [name, sql.one<LastDelivery>(LAST, [name])] as const);
    return new Map(found.flatMap(([name, last]) => (last === null ? [] : [[name, last] as const])));
  });
}
