import type { Sql } from '../sql.ts';
import type { DeliveryRow } from '../tables/deliveries.ts';

/** Columns needed to look up a delivery's dedupe keys. */
export type Claimant = Pick<
  DeliveryRow,
  'id' | 'webhook' | 'webhook_id' | 'trust' | 'sender_delivery_id' | 'claims'
>;

export const CLAIMANT_COLUMNS = 'id, webhook, webhook_id, trust, sender_delivery_id, claims';

export interface Key {
  readonly scope: string;
  readonly key: string;
}

export interface NamedKey extends Key {
  /** What it is called in memory. */
  readonly name: string;
}

/**
 * Stores the keys that a delivery keeps once it is settled. A key of a delivery that has acted stays with that one. `more`: further
 * keys of one that has acted.
 */
export function keepKeys(sql: Sql, claimant: Claimant, acted: boolean, more: readonly string[] = []): void {
  if (claimant.claims === '[]' && more.length === 0) return;
  const further = acted ? more.map((key) => inScope(claimant, key)) : [];
  for (const { scope, key } of [...keptKeys(claimant, acted), ...further]) {
    sql.run(
      `insert into dedupe_keys (webhook, key, delivery_id, acted) values (?, ?, ?, ?)
       on conflict (webhook, key) do update set delivery_id = excluded.delivery_id, acted = excluded.acted where dedupe_keys.acted = 0`,
      [scope, key, claimant.id, acted ? 1 : 0],
    );
  }
}

/** The keys that a delivery keeps once it is settled. */
export function keptKeys(claimant: Claimant, acted: boolean): readonly Key[] {
  return acted ? ownKeys(claimant) : bytesOf(claimant);
}

/**
 * The keys of a delivery's signed bytes: the signature where there is one, else their digest. Nothing signed what was fetched,
 * or came through a socket: its other keys are all that tells it again.
 */
function bytesOf(claimant: Claimant): readonly Key[] {
  const keys = ownKeys(claimant);
  if (claimant.trust === 'fetched' || claimant.trust === 'socket') return keys.filter((key) => !isAct(key));
  const seals = keys.filter(({ key }) => key.startsWith('@seal:'));
  return seals.length > 0 ? seals : keys.filter(({ key }) => key.startsWith('body:'));
}

/** Whether the sender delivers the same again, under the same delivery id. What was fetched is there already, whatever came of it. */
export function isRedelivery(first: Claimant, again: Claimant): boolean {
  if (first.trust === 'fetched' || again.trust === 'fetched') return false;
  const isSameId = first.sender_delivery_id !== null && first.sender_delivery_id === again.sender_delivery_id;
  return isSameId && scopeOf(first) === scopeOf(again);
}

/** Two deliveries may be about one act, and the first need not be the one that runs a command: such a key holds no pending one back. */
export function isAct({ key }: Key): boolean {
  return key.startsWith('@act:');
}

/** The id of a dynamic webhook, whose name may change. */
function scopeOf({ webhook, webhook_id }: Claimant): string {
  return webhook_id ?? webhook;
}

function inScope(claimant: Claimant, key: string): Key {
  return { scope: key.startsWith('@') ? '@' : scopeOf(claimant), key };
}

export function ownKeys(claimant: Claimant): readonly Key[] {
  return (JSON.parse(claimant.claims) as string[]).map((key) => inScope(claimant, key));
}

/**
 * Where the keys of a delivery may be owned. An unverified one (`?`) is a duplicate of a verified one, too.
 */
export function lookups(own: readonly NamedKey[]): readonly NamedKey[] {
  if (!own.some(({ key }) => key.startsWith('?'))) return own;
  return own.flatMap((each) =>
    each.key.startsWith('?') ? [each, named({ scope: each.scope, key: each.key.slice(1) })] : [each],
  );
}

export function named({ scope, key }: Key): NamedKey {
  return { scope, key, name: nameOf({ scope, key }) };
}

/** Well formed, as in the index: SQLite keeps a lone surrogate as U+FFFD. */
export function nameOf({ scope, key }: Key): string {
  return `${scope}\n${key}`.toWellFormed();
}
