import type { Client } from 'pg';
import { failure } from '../../errors.ts';
import { MIGRATIONS } from '../local/schema/migrations.ts';
import { SCHEMA } from '../local/schema/version-1.ts';
import { SCHEMA_VERSION } from '../local/schema/versions.ts';
import { type Address, connect, explained } from './client.ts';
import { translateSchema } from './dialect.ts';
import { FUNCTIONS } from './functions.ts';

/**
 * What PostgreSQL alone has, in versions of its own; a released one is never changed. Bodies are in a table of which each day is a
 * part, so that retention drops whole days. `pending_keys`: what the local store keeps in memory while a delivery is pending.
 */
const OWN_STEPS: readonly string[] = [
  `create function refuse_change() returns trigger language plpgsql as
  $$ begin raise exception 'the audit is append-only'; end $$;
create trigger audit_never_changes before update or delete or truncate on audit
  for each statement execute function refuse_change();

create sequence body_numbers;
create table bodies (
  day bigint not null,
  delivery_id text collate "C" not null,
  bytes bytea not null,
  primary key (day, delivery_id)
) partition by range (day);
do $$ begin
  alter table bodies alter column bytes set compression lz4;
exception when feature_not_supported then
  alter table bodies alter column bytes set storage external;
end $$;

-- Each start of a server or of a command that writes. What it has taken on is its own until "lease_until", by the database's clock.
create table machines (
  id text collate "C" primary key,
  host text not null,
  -- Data folder on that computer: one process has it at a time.
  folder text not null,
  command text not null,
  version text not null,
  pid bigint not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null,
  last_write bigint not null default 0
);

create table pending_keys (
  scope text collate "C" not null,
  key text collate "C" not null,
  delivery_id text collate "C" not null references deliveries (id) on delete cascade,
  primary key (scope, key)
);
create index pending_keys_by_delivery on pending_keys (delivery_id);
-- Who works on a pending delivery, on a run, or has a part that one machine has at a time.
create table owners (
  delivery_id text collate "C" primary key references deliveries (id) on delete cascade,
  machine text collate "C" not null
);
alter table owners add column is_taken boolean not null default false;
create index owners_by_machine on owners (machine);
create index deliveries_open_of_thread on deliveries (external_id, body_offset) where status = 'pending';
create table run_owners (
  run_id text collate "C" primary key references runs (id) on delete cascade,
  machine text collate "C" not null,
  host text not null,
  folder text not null
);
-- Files that all machines have alike.
create table documents (
  name text collate "C" primary key,
  version bigint not null,
  content bytea not null,
  changed_at timestamptz not null default clock_timestamp()
);
create table machine_agents (
  machine text collate "C" not null references machines (id) on delete cascade,
  name text not null
);
-- When a data folder was last heard of, also after its machine has left.
create table places (
  host text not null,
  folder text not null,
  seen_at timestamptz not null,
  primary key (host, folder)
);
create table roles (name text primary key, machine text collate "C" not null);

create function release_keys() returns trigger language plpgsql as $$
begin
  delete from pending_keys where delivery_id = old.id;
  delete from owners where delivery_id = old.id;
  return null;
end $$;
create trigger deliveries_release_keys after update of status on deliveries
  for each row when (old.status = 'pending' and new.status <> 'pending') execute function release_keys();
${FUNCTIONS}`,
];

/** Where versions are noted. */
const VERSIONS = 'create table if not exists schema_versions (tables bigint not null, own bigint not null)';

/** Of all hookctl servers of one database: who migrates. Any number that no other program uses. */
const MIGRATION_LOCK = 0x484b4442;

interface Versions {
  readonly tables: number;
  readonly own: number;
}

const CURRENT: Versions = { tables: SCHEMA_VERSION, own: OWN_STEPS.length };

interface MigrateOptions {
  /** Up to which version of the tables; default this code's. */
  readonly to?: number;
  /** A further step, run last. */
  readonly injected?: string | undefined;
}

/**
 * Makes the schema, or brings it to this code's version, in one transaction; of several servers one does it. Throws `schema_version`
 * when a newer hookctl wrote it.
 */
export async function migrate(
  client: Client,
  address: Address,
  { to = SCHEMA_VERSION, injected }: MigrateOptions = {},
): Promise<void> {
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK}, hashtext($1))`, [address.schema]);
    if (!(await exists(client, address.schema))) await client.query(`create schema "${address.schema}"`);
    await client.query(VERSIONS);
    const { rows } = await client.query<{ tables: number; own: number }>('select * from schema_versions');
    const found = rows[0] ?? { tables: 0, own: 0 };
    if (rows.length === 0) await client.query('insert into schema_versions values (0, 0)');
    requireKnown(found, address);
    const steps = [SCHEMA, ...MIGRATIONS].slice(found.tables, to).map(translateSchema);
    const own = to === SCHEMA_VERSION ? OWN_STEPS.slice(found.own) : [];
    for (const step of [...steps, ...own]) await client.query(step);
    if (injected !== undefined) await client.query(translateSchema(injected));
    await client.query(
      `update schema_versions set tables = greatest(tables, ${to}), own = own + ${own.length}`,
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw explained(error, address);
  }
}

async function exists(client: Client, schema: string): Promise<boolean> {
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [schema]);
  return rowCount === 1;
}

/** Throws `schema_version` when a newer hookctl wrote it. */
function requireKnown(found: Versions, { shown }: Address): void {
  if (found.tables <= CURRENT.tables && found.own <= CURRENT.own) return;
  throw failure('schema_version', `${skew(found, shown)}: a newer hookctl wrote it.`, {
    fix: 'Upgrade this hookctl to the version of the other servers: hookctl machine list.',
  });
}

/** Throws `schema_version` unless the database has exactly this code's schema: a reader does not migrate. */
export function requireCurrent(found: Versions, address: Address): void {
  requireKnown(found, address);
  if (found.tables === CURRENT.tables && found.own === CURRENT.own) return;
  throw failure('schema_version', `${skew(found, address.shown)}: an older hookctl wrote it last.`, {
    fix: 'Restart `hookctl serve` with this version; it brings the store up to date.',
  });
}

function skew({ tables, own }: Versions, shown: string): string {
  return `The store ${shown} has schema ${tables}.${own}, this hookctl knows schema ${CURRENT.tables}.${CURRENT.own}`;
}

/** Connects, and makes the schema or brings it to this code's version. */
export async function makeCurrent(address: Address): Promise<void> {
  const client = await connect(address, { statementMs: 600_000 });
  try {
    await migrate(client, address);
  } finally {
    await client.end().catch(() => undefined);
  }
}
