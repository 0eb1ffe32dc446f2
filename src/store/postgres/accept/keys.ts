import {
  type Claimant,
  isAct,
  isRedelivery,
  type Key,
  lookups,
  type NamedKey,
  named,
  nameOf,
  ownKeys,
} from '../../local/log/claims.ts';
import type { Sql } from '../../local/sql.ts';

/** Who accepts and who requeues take the locks of all keys first, in this many groups: each is a place in the server's table of locks. */
const LOCK_GROUPS = 1_024;
/** The first half of such a lock's number: any that no other program uses. */
const KEY_LOCK = 0x484b444b;

/** Takes them, in one order for all, until the transaction ends. */
export const LOCK_KEYS = `select count(pg_advisory_xact_lock(${KEY_LOCK}, place)) from (
  select place from unnest($1::int[]) as place order by place) as places`;

/** The groups of all keys that decide about these deliveries, and of further `names`. */
export function groupsOf(claimants: readonly Claimant[], names: readonly string[] = []): readonly number[] {
  const keys = claimants.flatMap((each) => keysOf(each).map(({ name }) => name));
  const groups = [...keys, ...names].map(groupOf);
  return [...new Set(groups)].toSorted((a, b) => a - b);
}

/** Stays the same: servers of different versions have to agree on it. */
function groupOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % LOCK_GROUPS;
}

/** Every key by which one may be a duplicate, in order. */
export function keysOf(claimant: Claimant): readonly NamedKey[] {
  return lookups(ownKeys(claimant).map(named));
}

/** Who has a key. Of one that is pending `acted` is null. */
export interface Holder extends Key, Claimant {
  readonly acted: number | null;
}

/** The holders of keys. `keys`: SQL for pairs of scope and key. */
export function findHolders(keys: string): string {
  return `select k.scope, k.key, d.id, d.webhook, d.webhook_id, d.trust, d.sender_delivery_id, d.claims, p.acted
    from ${keys} as k (scope, key)
    cross join lateral (
      select delivery_id, null::bigint as acted from pending_keys where scope = k.scope and key = k.key
      union all select delivery_id, acted from dedupe_keys where webhook = k.scope and key = k.key) as p
    join deliveries as d on d.id = p.delivery_id`;
}

/**
 * The first of the other deliveries that make this one a duplicate; null when there is none. Of each key a pending delivery comes
 * first, as in `store/local/log/dedupe.ts`.
 */
export function firstOwner(
  claimant: Claimant,
  holdersOf: (name: string) => readonly Holder[],
): string | null {
  const owners = keysOf(claimant).flatMap(({ name }) => {
    const holders = holdersOf(name);
    const waiting = holders.find(({ acted }) => acted === null);
    if (waiting !== undefined) return waiting.id;
    return holders
      .filter(({ acted, ...first }) => acted === 1 || !isRedelivery(first, claimant))
      .map(({ id }) => id);
  });
  return owners.filter((id) => id !== claimant.id).toSorted()[0] ?? null;
}

/** The keys that a delivery holds while it is pending. */
export function heldKeys(claimant: Claimant): readonly Key[] {
  return ownKeys(claimant).filter((key) => !isAct(key));
}

/** The same inside an operation. */
export function lockKeys(sql: Sql, claimant: Claimant): void {
  const groups = groupsOf([claimant]);
  sql.value(
    `select count(pg_advisory_xact_lock(${KEY_LOCK}, value::int)) from (
       select value from json_each(?) order by value::int) as places`,
    [groups],
  );
}

export function ownerOf(sql: Sql, claimant: Claimant): string | null {
  const keys = keysOf(claimant);
  if (keys.length === 0) return null;
  const found = sql.all<Holder>(
    findHolders(`(values ${keys.map(() => '(?, ?)').join()})`),
    keys.flatMap(({ scope, key }) => [scope, key]),
  );
  const byName = Map.groupBy(found, nameOf);
  return firstOwner(claimant, (name) => byName.get(name) ?? []);
}

export function holdKeys(sql: Sql, claimant: Claimant): void {
  for (const { scope, key } of heldKeys(claimant)) {
    sql.run(
      `insert into pending_keys (scope, key, delivery_id) values (?, ?, ?)
       on conflict (scope, key) do update set delivery_id = excluded.delivery_id`,
      [scope, key, claimant.id],
    );
  }
}
