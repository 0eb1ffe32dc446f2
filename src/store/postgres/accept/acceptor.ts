import type { Client } from 'pg';
import { failure, messageOf } from '../../../errors.ts';
import { coalesce } from '../../../lib/time-slicer.ts';
import { type Claimant, keptKeys, nameOf } from '../../local/log/claims.ts';
import { COLUMNS, type RecordedRow, rowOf, valueIn } from '../../local/log/record.ts';
import type { NewDelivery, Store } from '../../store.ts';
import { type Address, codeOf, connect, explained, isAway, isConflict } from '../client.ts';
import { storedJson, storedText } from '../dialect.ts';
import { byteaArray } from './bytea-array.ts';
import { findHolders, firstOwner, groupsOf, type Holder, heldKeys, keysOf, LOCK_KEYS } from './keys.ts';

/** What accepts: the deliveries that came in one turn of the event loop share a transaction, and all that came while the last one ran. */
interface Acceptor {
  accept: Store['accept'];
  close(): Promise<void>;
}

type Accepted = Awaited<ReturnType<Store['accept']>>;

interface Waiting {
  readonly row: RecordedRow;
  readonly body: Uint8Array;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: unknown) => void;
}

/** Deliveries and bytes of one statement. */
const MOST_AT_ONCE = 500;
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_CONFLICTS = 5;
/** More than wait for an answer, as senders give up after 10 s. */
const STATEMENT_MS = 8_000;
/** Days of bodies that are made ahead. */
const DAYS_AHEAD = 2;

/** `machine`: the one that works on accepted deliveries. `accepted`: called when a transaction with pending ones was committed. */
export function openAcceptor(address: Address, machine: () => string, accepted: () => void): Acceptor {
  let client: Client | null = null;
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;
  let isClosed = false;
  /** Up to which day there is a place for bodies. */
  let madeUntil = Number.NEGATIVE_INFINITY;

  const soon = coalesce(() => {
    running ??= acceptAll().finally(() => {
      running = null;
    });
  });

  async function acceptAll(): Promise<void> {
    while (waiting.length > 0) await settle(waiting.splice(0, countOf(waiting)));
  }

  async function settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const accepted = await acceptBatch(batch);
      for (const [index, { resolve }] of batch.entries()) resolve(accepted[index] as Accepted);
    } catch (error) {
      // One that the database refuses must not take the others with it.
      if (batch.length > 1 && !isAway(error)) for (const each of batch) await settle([each]);
      else for (const { reject } of batch) reject(told(error, address));
    }
  }

  async function acceptBatch(batch: readonly Waiting[]): Promise<readonly Accepted[]> {
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        client ??= await connect(address, { statementMs: STATEMENT_MS });
        return await transact(client, batch);
      } catch (error) {
        if (isAway(error)) {
          const left = client;
          client = null;
          left?.end().catch(() => undefined);
          throw error;
        }
        await client?.query('rollback').catch(() => undefined);
        if (isWithoutDay(error)) madeUntil = Number.NEGATIVE_INFINITY;
        else if (!isConflict(error)) throw error;
        if (conflicts === MOST_CONFLICTS) throw error;
      }
    }
  }

  async function transact(on: Client, batch: readonly Waiting[]): Promise<readonly Accepted[]> {
    await on.query('begin');
    const claimants = batch.map(({ row }) => row);
    const { rows } = await on.query({
      name: 'lock',
      text: `select floor(extract(epoch from clock_timestamp()) / 86400)::bigint as today, (${LOCK_KEYS}) as locked`,
      // Those of one thread are committed in the order of their numbers.
      values: [
        groupsOf(
          claimants,
          claimants.flatMap(({ external_id: thread }) => thread ?? []),
        ),
      ],
    });
    const today = Number(rows[0]?.today);
    if (today + 1 > madeUntil) {
      await makeDays(on, today);
      madeUntil = today + DAYS_AHEAD;
    }
    const decided = decide(batch, await holders(on, claimants));
    await store(on, decided, today, machine());
    await on.query('commit');
    if (decided.some(({ row }) => row.status === 'pending')) accepted();
    return decided.map(({ row }) => ({
      status: row.status as Accepted['status'],
      duplicateOf: row.duplicate_of,
    }));
  }

  return {
    accept(delivery) {
      const { promise, resolve, reject } = Promise.withResolvers<Accepted>();
      if (isClosed) reject(failure('store_stopped', `The store ${address.shown} was closed.`));
      else {
        waiting.push({ row: cleaned(delivery), body: delivery.body, resolve, reject });
        soon();
      }
      return promise;
    },
    async close() {
      isClosed = true;
      while (running !== null || waiting.length > 0) {
        await running;
        await new Promise(setImmediate);
      }
      await client?.end().catch(() => undefined);
      client = null;
    },
  };
}

/** Retention has dropped the day, as nothing in it was needed. */
function isWithoutDay(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === '23514';
}

/** How many of those that wait share the next transaction: one at least. */
function countOf(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const end = waiting.findIndex(({ body }) => {
    bytes += body.byteLength;
    return bytes > MOST_BYTES;
  });
  return Math.min(MOST_AT_ONCE, end < 0 ? waiting.length : Math.max(1, end));
}

function told(error: unknown, address: Address): unknown {
  const known = explained(error, address);
  if (known !== error || (error instanceof Error && 'exitCode' in error)) return known;
  return failure('store_write', `Nothing was stored in ${address.shown}: ${messageOf(error)}.`, {
    cause: error,
  });
}

/** The row as PostgreSQL can hold it. */
function cleaned(delivery: NewDelivery): RecordedRow {
  const row = Object.entries(rowOf(delivery)).map(([name, value]) => [
    name,
    typeof value === 'string' ? storedText(value) : value,
  ]);
  return {
    ...(Object.fromEntries(row) as RecordedRow),
    claims: storedJson(delivery.dedupeKeys),
    decisions: storedJson(delivery.decisions),
  };
}

async function holders(on: Client, claimants: readonly Claimant[]): Promise<readonly Holder[]> {
  const keys = claimants.flatMap(keysOf);
  if (keys.length === 0) return [];
  const { rows } = await on.query<Holder>({
    name: 'holders',
    text: findHolders('unnest($1::text[], $2::text[])'),
    values: [keys.map(({ scope }) => scope), keys.map(({ key }) => key)],
  });
  return rows;
}

type Decided = Pick<Waiting, 'row' | 'body'>;

/** One after the other, as they came: a later one may repeat an earlier one of the same transaction. */
function decide(batch: readonly Waiting[], found: readonly Holder[]): readonly Decided[] {
  const byName = Map.groupBy(found, nameOf);
  const hold = (row: RecordedRow, keys: readonly { scope: string; key: string }[], acted: number | null) => {
    for (const key of keys) {
      const name = nameOf(key);
      const others = (byName.get(name) ?? []).filter((other) => other.acted !== acted);
      const isTaken = acted === 0 && others.some((other) => other.acted === 1);
      if (!isTaken) byName.set(name, [...others, { ...row, ...key, acted }]);
    }
  };
  return batch.map(({ row, body }) => {
    const owner = firstOwner(row, (name) => byName.get(name) ?? []);
    if (owner !== null) {
      const reason = `the same as ${owner}`;
      const repeated = { ...row, status: 'duplicate', duplicate_of: owner, reason, claims: '[]' } as const;
      return { row: repeated, body: NO_BYTES };
    }
    if (row.status === 'pending') hold(row, heldKeys(row), null);
    if (row.status === 'ignored') hold(row, keptKeys(row, false), 0);
    return { row, body };
  });
}

const NO_BYTES = new Uint8Array();

/** Types of the columns of `deliveries` that are no text. */
const NUMBERS: ReadonlySet<string> = new Set([
  ...['size', 'received_at', 'settled_at', 'replies', 'attempts', 'next_attempt_at', 'by_person', 'sample'],
]);

const LISTS = COLUMNS.map((name, at) => `$${at + 1}::${NUMBERS.has(name) ? 'bigint' : 'text'}[]`).join(', ');

const place = (further: number) => `$${COLUMNS.length + further}`;

/** One statement: rows, their bodies, their keys. */
const INSERT = `with given as materialized (
    select u.*, n, case when u.status <> 'duplicate' then nextval('body_numbers') end as number
    from unnest(${LISTS}) with ordinality as u (${COLUMNS.join(', ')}, n) order by n),
  stored as (insert into deliveries (${COLUMNS.join(', ')}, body_segment, body_offset)
    select ${COLUMNS.join(', ')}, case when number is not null then ${place(1)}::bigint end, number from given),
  kept as (insert into bodies (day, delivery_id, bytes)
    select ${place(1)}::bigint, id, bytes
    from unnest(${place(2)}::text[], ${place(3)}::bytea[]) as b (id, bytes)),
  owned as (insert into owners (delivery_id, machine) select id, ${place(10)}::text from given where status = 'pending'),
  held as (insert into pending_keys (scope, key, delivery_id)
    select scope, key, id from unnest(${place(4)}::text[], ${place(5)}::text[], ${place(6)}::text[])
      as k (scope, key, id) order by scope, key
    on conflict (scope, key) do update set delivery_id = excluded.delivery_id)
  insert into dedupe_keys (webhook, key, delivery_id, acted)
  select scope, key, id, 0 from unnest(${place(7)}::text[], ${place(8)}::text[], ${place(9)}::text[])
    as k (scope, key, id) order by scope, key
  on conflict (webhook, key) do update set delivery_id = excluded.delivery_id, acted = excluded.acted where dedupe_keys.acted = 0`;

async function store(on: Client, decided: readonly Decided[], today: number, machine: string): Promise<void> {
  const columns = COLUMNS.map((name) => decided.map(({ row }) => valueIn(row, name)));
  const bodies = decided.filter(({ row }) => row.status !== 'duplicate');
  const held = lastOf(decided, 'pending', (row) => heldKeys(row));
  const kept = lastOf(decided, 'ignored', (row) => keptKeys(row, false));
  await on.query({
    name: 'accept',
    text: INSERT,
    values: [
      ...columns,
      today,
      bodies.map(({ row }) => row.id),
      byteaArray(bodies.map(({ body }) => body)),
      ...held,
      ...kept,
      machine,
    ],
  });
}

/** Scopes, keys and ids of deliveries of one status. A statement may name each key once: the last one has it. */
function lastOf(
  decided: readonly Decided[],
  status: string,
  keysIn: (row: RecordedRow) => readonly { readonly scope: string; readonly key: string }[],
): readonly (readonly string[])[] {
  const byName = new Map<string, { scope: string; key: string; id: string }>();
  for (const { row } of decided)
    if (row.status === status) for (const key of keysIn(row)) byName.set(nameOf(key), { ...key, id: row.id });
  const all = [...byName.values()];
  return [all.map(({ scope }) => scope), all.map(({ key }) => key), all.map(({ id }) => id)];
}

/** Any number that no other program uses. */
const DAY_LOCK = 0x484b4444;

/** Makes the places for bodies of today and the days after. Attached rather than made in place, which would wait for open inserts. */
async function makeDays(on: Client, today: number): Promise<void> {
  await on.query(`select pg_advisory_xact_lock(${DAY_LOCK})`);
  for (let day = today; day <= today + DAYS_AHEAD; day += 1) {
    const { rows } = await on.query<{ name: string | null }>(
      `select to_regclass('bodies_${day}')::text as name`,
    );
    if (rows[0]?.name != null) continue;
    await on.query(`create table bodies_${day} (like bodies including all);
      alter table bodies attach partition bodies_${day} for values from (${day}) to (${day + 1})`);
  }
}
