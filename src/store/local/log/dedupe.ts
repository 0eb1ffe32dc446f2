import type { Sql } from '../sql.ts';
import {
  CLAIMANT_COLUMNS,
  type Claimant,
  isAct,
  isRedelivery,
  type Key,
  lookups,
  type NamedKey,
  named,
  nameOf,
  ownKeys,
} from './claims.ts';
import { createKeyFilter } from './key-filter.ts';

/**
 * Which delivery owns which dedupe key. While a delivery is pending, or not indexed yet, its keys are kept in memory. Once it has
 * acted, the index keeps all of them; of one that was ignored or failed it keeps those of its signed bytes alone, so that only the
 * sender's own redelivery, under the same delivery id, runs again. Keys that begin with `@` count for all webhooks.
 */
interface Dedupe {
  /** The first of the other deliveries that make this one a duplicate; null when there is none. */
  owner(claimant: Claimant): string | null;
  /** The delivery is pending from now on. */
  begin(claimant: Claimant): void;
  /** The delivery is no longer pending, or it was not stored after all. */
  release(deliveryId: string): void;
  /** Releases, once it is called, the keys that the delivery holds now: none that a requeue takes meanwhile. */
  releasing(deliveryId: string): () => void;
  /** Further keys, which count for all webhooks, are about to be in the index. */
  expect(keys: readonly string[]): void;
}

const FIND = 'select delivery_id, acted from dedupe_keys where webhook = ? and key = ?';

interface Owner {
  readonly delivery_id: string;
  readonly acted: number;
}

/** Keys of the index that are read in one go, and the milliseconds until the next ones are. */
const PAGE_KEYS = 1_000;
const PAGE_PAUSE_MS = 10;
const UNREAD: readonly Key[] = [];

/** As bytes: older versions of Node end a text that SQLite gives them at the first NUL. */
interface IndexedKey {
  readonly scope: string;
  readonly bytes: Uint8Array;
}

/** Reads which deliveries are pending. For the one process that accepts. */
export function openDedupe(sql: Sql, isOpen: () => boolean): Dedupe {
  const owners = new Map<string, string>();
  const held = new Map<string, readonly string[]>();
  /** What may be in the index: to ask it takes longer than all else that a new delivery costs here. */
  const indexed = createKeyFilter();
  let isAllKnown = false;
  /** The delivery that was asked for last, which is the one that begins, and its keys. */
  let last: { readonly claimant: Claimant; readonly keys: readonly NamedKey[] } | null = null;

  function keysOf(claimant: Claimant): readonly NamedKey[] {
    if (last?.claimant !== claimant) last = { claimant, keys: ownKeys(claimant).map(named) };
    return last.keys;
  }

  /** Learns the keys of the index, page after page. What comes to it meanwhile began in this process. */
  function learnKeys(after: Key): void {
    const keys = pageAfter(after);
    for (const key of keys) indexed.add(nameOf(key));
    const last = keys.at(-1);
    if (last !== undefined) setTimeout(() => isOpen() && learnKeys(last), PAGE_PAUSE_MS).unref();
    else isAllKnown = keys !== UNREAD;
  }

  function pageAfter({ scope, key }: Key): readonly Key[] {
    try {
      const rows = sql.all<IndexedKey>(
        `select webhook as scope, cast(key as blob) as bytes from dedupe_keys where (webhook, key) > (?, ?)
         order by webhook, key limit ?`,
        [scope, key, PAGE_KEYS],
      );
      return rows.map((row) => ({ scope: row.scope, key: Buffer.from(row.bytes).toString() }));
    } catch {
      // The store has reported it; the index goes on being asked.
      return UNREAD;
    }
  }

  function begin(claimant: Claimant): void {
    const names: string[] = [];
    for (const key of keysOf(claimant)) {
      indexed.add(key.name);
      if (!isAct(key)) names.push(key.name);
    }
    if (names.length === 0) return;
    held.set(claimant.id, names);
    for (const name of names) owners.set(name, claimant.id);
  }

  function release(deliveryId: string): void {
    for (const name of held.get(deliveryId) ?? []) {
      if (owners.get(name) === deliveryId) owners.delete(name);
    }
    held.delete(deliveryId);
  }

  /** Owners that the index knows. One statement for all keys: each that is run alone takes SQLite's locks again. */
  function inIndex(keys: readonly Key[], claimant: Claimant): readonly string[] {
    if (keys.length === 0) return [];
    const text = Array(keys.length).fill(FIND).join(' union all ');
    const found = sql.all<Owner>(
      text,
      keys.flatMap(({ scope, key }) => [scope, key]),
    );
    return found.filter((owner) => isHolding(owner, claimant)).map(({ delivery_id: id }) => id);
  }

  function isHolding({ delivery_id: id, acted }: Owner, claimant: Claimant): boolean {
    if (id === claimant.id) return false;
    if (acted === 1) return true;
    const first = sql.one<Claimant>(`select ${CLAIMANT_COLUMNS} from deliveries where id = ?`, [id]);
    return first !== null && !isRedelivery(first, claimant);
  }

  for (const row of sql.all<Claimant>(
    `select ${CLAIMANT_COLUMNS} from deliveries where status = 'pending'`,
  )) {
    begin(row);
  }
  learnKeys({ scope: '', key: '' });
  return {
    owner(claimant) {
      const keys = lookups(keysOf(claimant));
      const waiting = keys.map(({ name }) => owners.get(name));
      const settled = inIndex(
        keys.filter(({ name }, at) => waiting[at] === undefined && (!isAllKnown || indexed.mayHave(name))),
        claimant,
      );
      const others = [...waiting, ...settled].filter((id) => id !== undefined && id !== claimant.id);
      return others.toSorted()[0] ?? null;
    },
    begin,
    release,
    releasing(deliveryId) {
      const names = held.get(deliveryId);
      return () => {
        if (held.get(deliveryId) === names) release(deliveryId);
      };
    },
    expect(keys) {
      for (const key of keys) indexed.add(nameOf({ scope: '@', key }));
    },
  };
}
