import { failure } from '../../errors.ts';
import type { Sql } from '../local/sql.ts';
import type { PendingDelivery } from '../selection.ts';
import type { Beat, MachineInfo, Turn } from '../shared.ts';

/** One start of a process that writes. */
export interface Machine {
  readonly id: string;
  /** Name of the computer. */
  readonly host: string;
  /** Its data folder there, which one process has at a time. */
  readonly folder: string;
  /** What was started there: `serve`. */
  readonly command: string;
  readonly version: string;
  readonly pid: number;
}

/** How long what a machine has taken on is its own without another sign of it, in seconds. */
const LEASE_S = 10;
const LEASE = `clock_timestamp() + interval '${LEASE_S} s'`;
/** While the database was away, no machine could give a sign. */
const IS_OVER = `lease_until < clock_timestamp()
  and pg_postmaster_start_time() < clock_timestamp() - interval '${LEASE_S} s'`;
/** Taken over at once. */
const MOST_TAKEN = 1_000;

/** Adds a machine. An earlier one of the same folder is gone, since this one has the folder. */
export function join(sql: Sql, { id, host, folder, command, version, pid }: Machine): void {
  sql.run('delete from machines where host = :host and folder = :folder and id <> :id', { host, folder, id });
  sql.run(
    `insert into machines (id, host, folder, command, version, pid, lease_until)
     values (:id, :host, :folder, :command, :version, :pid, ${LEASE}) on conflict (id) do nothing`,
    { id, host, folder, command, version, pid },
  );
}

/**
 * Notes that it lives and which transaction this is, before anything else in it. Throws `lease_lost` when another machine has taken
 * over its work meanwhile: nothing that it did since may be recorded.
 */
export function noteAlive(sql: Sql, { id }: Machine, number: number): void {
  const changed = sql.run(
    `update machines set seen_at = clock_timestamp(), lease_until = ${LEASE}, last_write = :number where id = :id`,
    { id, number },
  );
  if (changed === 0)
    throw failure(
      'lease_lost',
      'the database heard nothing of this server for too long, and others took its work over',
    );
}

/** The machine is done. */
export function leave(sql: Sql, { id }: Machine): void {
  sql.run('delete from machines where id = ?', [id]);
}

/** Ends the leases of machines that gave no sign, and takes on what machines that are gone have left. */
export function beat(sql: Sql, { id, host, folder }: Machine): Beat {
  sql.run(
    `insert into places (host, folder, seen_at) values (?, ?, clock_timestamp())
     on conflict (host, folder) do update set seen_at = excluded.seen_at`,
    [host, folder],
  );
  sql.run(`delete from machines where id <> ? and ${IS_OVER}`, [id]);
  const taken = sql.all<PendingDelivery>(
    `with left_over as (
       select delivery_id from owners join deliveries on id = delivery_id
       where not exists (select 1 from machines where machines.id = owners.machine)
       order by body_offset limit ${MOST_TAKEN}),
     taken as (update owners set machine = :id, is_taken = true from left_over
       where owners.delivery_id = left_over.delivery_id returning owners.delivery_id)
     select id, external_id as "externalId", attempts, next_attempt_at as "nextAttemptAt"
     from taken join deliveries on id = delivery_id order by body_offset`,
    { id },
  );
  // What leaves hookctl is sent by one machine at a time.
  sql.run(
    `insert into roles (name, machine) values ('outbox', :id) on conflict (name) do update set machine = excluded.machine
     where not exists (select 1 from machines where machines.id = roles.machine)`,
    { id },
  );
  return { taken, hasLeftRuns: hasLeftRuns(sql), machines: sql.count('select count(*) from machines') };
}

function hasLeftRuns(sql: Sql): boolean {
  const left = sql.value(
    `select 1 from runs left join run_owners on run_id = runs.id
     where runs.state = 'running' and not exists (select 1 from machines where machines.id = run_owners.machine) limit 1`,
  );
  return left !== null;
}

/** Takes a delivery that has become pending. */
export function own(sql: Sql, { id }: Pick<Machine, 'id'>, deliveryId: string): void {
  sql.run(
    `insert into owners (delivery_id, machine) values (?, ?)
     on conflict (delivery_id) do update set machine = excluded.machine`,
    [deliveryId, id],
  );
}

/** Whether a pending delivery is a machine's, or that of one that is gone. */
export function mayTake(sql: Sql, { id }: Pick<Machine, 'id'>, deliveryId: string): boolean {
  const other = sql.value(
    `select 1 from owners join machines on machines.id = owners.machine
     where owners.delivery_id = ? and owners.machine <> ?`,
    [deliveryId, id],
  );
  return other === null;
}

/** Notes the agents of a machine. Those of all machines that have not left. */
export function agentsOfAll(sql: Sql, { id }: Machine, names: readonly string[]): readonly string[] {
  sql.run('delete from machine_agents where machine = ?', [id]);
  for (const name of names) sql.run('insert into machine_agents (machine, name) values (?, ?)', [id, name]);
  return sql.column('select distinct name from machine_agents order by name');
}

/** Whether this machine sends what leaves hookctl. */
export function isSender(sql: Sql, { id }: Pick<Machine, 'id'>): boolean {
  return sql.value("select 1 from roles where name = 'outbox' and machine = ?", [id]) !== null;
}

/** Those that another machine left wait for all earlier ones of their thread, and are waited for: no lane in memory has their order. */
const TURNS = `select delivery.id, case
     when delivery.status <> 'pending' or owners.machine <> :id then 'elsewhere'
     when owners.machine is null or exists (
       select 1 from deliveries as earlier join owners as their on their.delivery_id = earlier.id
       where earlier.external_id = delivery.external_id and earlier.status = 'pending'
         and earlier.body_offset < delivery.body_offset
         and (their.machine <> :id or their.is_taken or owners.is_taken)
         and not exists (select 1 from held_deliveries where held_deliveries.delivery_id = earlier.id)) then 'later'
     else 'now' end as turn
   from deliveries as delivery left join owners on owners.delivery_id = delivery.id
   where delivery.id in (select value from json_each(:ids))`;

export function turnsOf(
  sql: Sql,
  { id }: Pick<Machine, 'id'>,
  ids: readonly string[],
): ReadonlyMap<string, Turn> {
  const rows = sql.all<{ readonly id: string; readonly turn: Turn }>(TURNS, { id, ids });
  const found = new Map(rows.map((row) => [row.id, row.turn]));
  return new Map(ids.map((each) => [each, found.get(each) ?? 'elsewhere']));
}

export function ownerOfRun(sql: Sql, { id }: Pick<Machine, 'id'>, runId: string): 'mine' | 'other' | 'gone' {
  return (
    sql.value<'mine' | 'other' | 'gone'>(
      `select case when run_owners.machine = :id then 'mine' when machines.id is null then 'gone' else 'other' end
       from run_owners left join machines on machines.id = run_owners.machine where run_id = :runId`,
      { id, runId },
    ) ?? 'gone'
  );
}

const NEWEST_SESSION = `select session_id, run_owners.host, run_owners.folder
  from runs left join run_owners on run_id = runs.id
  where conversation_id = :conversationId and session_key = :sessionKey and session_id is not null
  order by runs.id desc limit 1`;

type Place = Pick<Machine, 'host' | 'folder'>;

/** The newest session of a conversation, where it is this machine's: no other one can go on with it. */
export function ownSession(
  sql: Sql,
  place: Place,
  conversationId: string,
  sessionKey: string,
): string | null {
  const newest = sql.one<Place & { readonly session_id: string }>(NEWEST_SESSION, {
    conversationId,
    sessionKey,
  });
  return newest !== null && isAt(newest, place) ? newest.session_id : null;
}

export function sessionElsewhere(sql: Sql, place: Place, conversationId: string, sessionKey: string) {
  const newest = sql.one<Place & { readonly silentMs: number | null }>(
    `select newest.*, floor(extract(epoch from clock_timestamp() - seen_at) * 1000)::bigint as "silentMs"
     from (${NEWEST_SESSION}) as newest left join places
       on places.host = newest.host and places.folder = newest.folder`,
    { conversationId, sessionKey },
  );
  if (newest === null || isAt(newest, place)) return null;
  return { host: newest.host, silentMs: newest.silentMs ?? Number.POSITIVE_INFINITY };
}

/** Runs of a store that was copied belong to no machine: the first that goes on has their sessions, or begins new ones. */
function isAt({ host, folder }: Place, own: Place): boolean {
  return host === null || (host === own.host && folder === own.folder);
}

export function machinesIn(sql: Sql): readonly MachineInfo[] {
  return sql
    .all<Omit<MachineInfo, 'isGone'> & { readonly isGone: number }>(
      `select id, host, command, version, pid, floor(extract(epoch from started_at) * 1000)::bigint as "startedAt",
         floor(extract(epoch from seen_at) * 1000)::bigint as "seenAt", lease_until < clock_timestamp() as "isGone",
         (select count(*) from run_owners join runs on runs.id = run_id
          where run_owners.machine = machines.id and runs.state = 'running') as running,
         (select count(*) from owners where owners.machine = machines.id) as waiting
       from machines order by started_at, id`,
    )
    .map((row) => ({ ...row, isGone: row.isGone === 1 }));
}
