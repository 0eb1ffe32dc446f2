import type { DatabaseSync } from 'node:sqlite';
import type { RecordedRow } from './record.ts';

/** Columns needed to look up a delivery's dedupe keys. */
type Claimant = Pick<RecordedRow, 'id' | 'webhook' | 'webhook_id' | 'sender_delivery_id' | 'claims'>;

/**
 * Which delivery owns which dedupe key. While a delivery is pending its keys are kept in memory. Once it has acted, the
 * table keeps all of them; of one that was ignored or failed it keeps those of its signed bytes alone, so that only the
 * sender's own redelivery, under the same delivery id, runs again. Keys that begin with `@` count for all webhooks.
 */
interface Claims {
  /** The first of the other deliveries that make this one a duplicate; null when there is none. */
  owner(claimant: Claimant): string | null;
  /** The delivery is pending from now on. */
  begin(claimant: Claimant): void;
  /** The delivery is no longer pending. `more`: further keys to keep of one that has acted. No effect on one that was not pending. */
  end(deliveryId: string, acted: boolean, more?: readonly string[]): void;
  /** The delivery was not stored after all. */
  forget(deliveryId: string): void;
  /** Reads again which deliveries are pending, after a transaction that was undone. */
  reload(): void;
}

interface Key {
  readonly scope: string;
  readonly key: string;
}

interface Owner {
  readonly delivery_id: string;
  readonly acted: number;
}

/** The claims of an open db. Only for the one thread that writes. */
export function openClaims(db: DatabaseSync): Claims {
  const find = db.prepare('select delivery_id, acted from dedupe_keys where webhook = ? and key = ?');
  const keep = createKeepKeys(db);
  const select = `select ${CLAIMANT_COLUMNS} from deliveries`;
  const pending = db.prepare(`${select} where status = 'pending'`);
  const byId = db.prepare(`${select} where id = ?`);
  const owners = new Map<string, string>();
  const held = new Map<string, Claimant>();

  function begin(claimant: Claimant): void {
    const keys = ownKeys(claimant);
    if (keys.length === 0) return;
    held.set(claimant.id, claimant);
    for (const key of keys) if (!isAct(key)) owners.set(nameOf(key), claimant.id);
  }

  function forget(deliveryId: string): Claimant | undefined {
    const claimant = held.get(deliveryId);
    for (const key of claimant === undefined ? [] : ownKeys(claimant)) {
      if (owners.get(nameOf(key)) === deliveryId) owners.delete(nameOf(key));
    }
    held.delete(deliveryId);
    return claimant;
  }

  function reload(): void {
    owners.clear();
    held.clear();
    for (const row of pending.iterate()) begin(row as unknown as Claimant);
  }

  /** The delivery that makes the claimant a duplicate by this key. */
  function ownerOf(key: Key, claimant: Claimant): string | null {
    const waiting = owners.get(nameOf(key));
    if (waiting !== undefined) return waiting === claimant.id ? null : waiting;
    const found = find.get(key.scope, key.key) as unknown as Owner | undefined;
    if (found === undefined || found.delivery_id === claimant.id) return null;
    if (found.acted === 1) return found.delivery_id;
    const first = byId.get(found.delivery_id) as unknown as Claimant | undefined;
    return first === undefined || isRedelivery(first, claimant) ? null : found.delivery_id;
  }

  reload();
  return {
    owner: (claimant) =>
      lookups(claimant).reduce<string | null>((first, key) => {
        const id = ownerOf(key, claimant);
        return id === null || (first !== null && first < id) ? first : id;
      }, null),
    begin,
    end(deliveryId, acted, more = []) {
      const claimant = forget(deliveryId);
      if (claimant !== undefined) keep(claimant, acted, more);
    },
    forget: (deliveryId) => void forget(deliveryId),
    reload,
  };
}

const CLAIMANT_COLUMNS = 'id, webhook, webhook_id, sender_delivery_id, claims';

/** Stores the keys that a delivery keeps. A key of a delivery that has acted stays with that one. */
export function createKeepKeys(
  db: DatabaseSync,
): (claimant: Claimant, acted: boolean, more?: readonly string[]) => void {
  const insert = db.prepare(
    `insert into dedupe_keys (webhook, key, delivery_id, acted) values (?, ?, ?, ?)
     on conflict (webhook, key) do update set delivery_id = excluded.delivery_id, acted = excluded.acted where acted = 0`,
  );
  return (claimant, acted, more = []) => {
    const keys = acted
      ? [...ownKeys(claimant), ...more.map((key) => inScope(claimant, key))]
      : bytesOf(claimant);
    for (const { scope, key } of keys) insert.run(scope, key, claimant.id, acted ? 1 : 0);
  };
}

/** The keys of a delivery's signed bytes: the signature where there is one, else their digest. */
function bytesOf(claimant: Claimant): readonly Key[] {
  const keys = ownKeys(claimant);
  const seals = keys.filter(({ key }) => key.startsWith('@seal:'));
  return seals.length > 0 ? seals : keys.filter(({ key }) => key.startsWith('body:'));
}

/** Whether the sender delivers the same again, under the same delivery id. */
function isRedelivery(first: Claimant, again: Claimant): boolean {
  const isSameId = first.sender_delivery_id !== null && first.sender_delivery_id === again.sender_delivery_id;
  return isSameId && scopeOf(first) === scopeOf(again);
}

/** Two deliveries may be about one act, and the first need not be the one that runs a command: such a key holds no pending one back. */
function isAct({ key }: Key): boolean {
  return key.startsWith('@act:');
}

/** The id of a dynamic webhook, whose name may change. */
function scopeOf({ webhook, webhook_id }: Claimant): string {
  return webhook_id ?? webhook;
}

function inScope(claimant: Claimant, key: string): Key {
  return { scope: key.startsWith('@') ? '@' : scopeOf(claimant), key };
}

function ownKeys(claimant: Claimant): readonly Key[] {
  return (JSON.parse(claimant.claims) as string[]).map((key) => inScope(claimant, key));
}

/**
 * Where the keys of a delivery may be owned. An unverified one (`?`) is a duplicate of a verified one, too.
 */
function lookups(claimant: Claimant): readonly Key[] {
  return ownKeys(claimant).flatMap(({ scope, key }) => [
    { scope, key },
    ...(key.startsWith('?') ? [{ scope, key: key.slice(1) }] : []),
  ]);
}

function nameOf({ scope, key }: Key): string {
  return `${scope}\n${key}`;
}
