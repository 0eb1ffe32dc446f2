import type { DatabaseSync } from 'node:sqlite';
import type { RecordedRow } from './record.ts';

/** What of a row says which keys it claims, and where. */
export type Claimant = Pick<RecordedRow, 'id' | 'webhook' | 'webhook_id' | 'claims'>;

/**
 * Who owns which dedupe key. A delivery owns its keys while it is pending, which is kept in memory, and for good once
 * it has acted, which stands in the table. Most deliveries are ignored within milliseconds: their keys never
 * reach the disk but for the row's own `claims`.
 */
export interface Claims {
  /** The first of the other deliveries that own one of its keys; null when all are free. */
  owner(claimant: Claimant): string | null;
  /** It is pending from now on. */
  begin(claimant: Claimant): void;
  /** It is pending no more; `keep`: it has acted. Does nothing for one that was not pending. */
  end(deliveryId: string, keep: boolean): void;
  /** Reads again who is pending, after a transaction that came to nothing. */
  reload(): void;
}

interface Key {
  readonly webhook: string;
  readonly key: string;
}

/** The claims of an open db. Only for the one thread that writes. */
export function openClaims(db: DatabaseSync): Claims {
  const find = db.prepare('select delivery_id from dedupe_keys where webhook = ? and key = ?');
  const keep = db.prepare(
    'insert into dedupe_keys (webhook, key, delivery_id) values (?, ?, ?) on conflict do nothing',
  );
  const pending = db.prepare(
    "select id, webhook, webhook_id, claims from deliveries where status = 'pending'",
  );
  const owners = new Map<string, string>();
  const keysOf = new Map<string, readonly Key[]>();

  function begin(claimant: Claimant): void {
    const keys = ownKeys(claimant);
    if (keys.length === 0) return;
    keysOf.set(claimant.id, keys);
    for (const key of keys) owners.set(nameOf(key), claimant.id);
  }

  function reload(): void {
    owners.clear();
    keysOf.clear();
    for (const row of pending.iterate()) begin(row as unknown as Claimant);
  }

  reload();
  return {
    owner(claimant) {
      const found = lookups(claimant).flatMap((key) => {
        const id = owners.get(nameOf(key)) ?? find.get(key.webhook, key.key)?.delivery_id;
        return typeof id === 'string' && id !== claimant.id ? id : [];
      });
      return found.reduce<string | null>((first, id) => (first === null || id < first ? id : first), null);
    },
    begin,
    end(deliveryId, acted) {
      for (const key of keysOf.get(deliveryId) ?? []) {
        if (owners.get(nameOf(key)) === deliveryId) owners.delete(nameOf(key));
        if (acted) keep.run(key.webhook, key.key, deliveryId);
      }
      keysOf.delete(deliveryId);
    },
    reload,
  };
}

/** A dynamic webhook is known by its id: its name may change. */
function ownKeys({ webhook, webhook_id, claims }: Claimant): readonly Key[] {
  return (JSON.parse(claims) as string[]).map((key) => ({ webhook: webhook_id ?? webhook, key }));
}

/** Keys that were claimed before webhooks had ids in the store stand under their names. */
function lookups(claimant: Claimant): readonly Key[] {
  const keys = ownKeys(claimant);
  return claimant.webhook_id === null
    ? keys
    : [...keys, ...keys.map(({ key }) => ({ webhook: claimant.webhook, key }))];
}

function nameOf({ webhook, key }: Key): string {
  return `${webhook}\n${key}`;
}
