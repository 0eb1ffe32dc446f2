import { hostname } from 'node:os';
import { failure } from '../../errors.ts';
import { createIds } from '../../lib/ids.ts';
import { hookctlVersion } from '../../package-root.ts';
import type { NewAuditEntry } from '../../types.ts';
import type { BodyLocation } from '../local/log/body-reader.ts';
import { recordAudit } from '../local/operations/audit.ts';
import { type Redact, redacting, withoutSecrets } from '../local/redact-writes.ts';
import { readsOf } from '../local/reports/reads.ts';
import type { Sql } from '../local/sql.ts';
import { forwarded, startWriter, type Writer } from '../local/writer-client.ts';
import type { Swept } from '../selection.ts';
import type { Beat, SharedStore } from '../shared.ts';
import type { Store, StoreReader } from '../store.ts';
import { openAcceptor } from './accept/acceptor.ts';
import type { Address } from './client.ts';
import { openHints } from './hints.ts';
import {
  isSender,
  type Machine,
  machinesIn,
  ownerOfRun,
  ownSession,
  sessionElsewhere,
  turnsOf,
} from './machines.ts';
import { makeCurrent, requireCurrent } from './schema.ts';
import { openLink } from './sql.ts';
import type { Rejoined, WriterData } from './writer.ts';

/** Opens the store to read. Null when nothing was ever stored there. Throws `schema_version`, and what `connect` does. */
export function openPostgresReader(address: Address): StoreReader | null {
  const link = openLink(address);
  try {
    const isMade = link.sql.value("select to_regclass('schema_versions')::text") !== null;
    const found = isMade
      ? link.sql.one<{ tables: number; own: number }>('select * from schema_versions')
      : null;
    if (found === null) {
      link.close();
      return null;
    }
    requireCurrent(found, address);
  } catch (error) {
    link.close();
    throw error;
  }
  return { ...readerOf(link.sql), close: link.close };
}

function readerOf(sql: Sql): Omit<StoreReader, 'close'> {
  const bytes = (day: number, id: string) =>
    sql.value<Buffer>('select bytes from bodies where day = ? and delivery_id = ?', [day, id]);
  function bodyAt({ id, body_segment: day }: BodyLocation): Uint8Array | null {
    if (day === null) return null;
    const found = bytes(day, id);
    if (found !== null) return found;
    // Retention may have taken it away between the two looks.
    if (sql.value('select body_segment from deliveries where id = ?', [id]) === null) return null;
    throw failure('missing_body', `The body of ${id} is missing in the database.`);
  }
  return {
    ...readsOf(sql, bodyAt),
    body(deliveryId) {
      const location = sql.one<BodyLocation>(
        'select id, size, body_segment, body_offset from deliveries where id = ?',
        [deliveryId],
      );
      return location === null ? null : bodyAt(location);
    },
    machines: () => machinesIn(sql),
    logBytes: () => daysOf(sql).reduce((sum, { bytes: size }) => sum + size, 0),
  };
}

/** The days of which bodies are kept. */
function daysOf(sql: Sql): readonly { readonly day: number; readonly bytes: number }[] {
  return sql.all(
    `select substr(relname, 8)::bigint as day, pg_total_relation_size(pg_class.oid) as bytes
     from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = 'bodies'::regclass order by 1`,
  );
}

interface PostgresOptions {
  readonly address: Address;
  /** Takes secrets out of words before they become rows; default: none are known. */
  readonly redact?: Redact;
  /** The data folder of this machine, which this process has; default none. */
  readonly folder?: string;
  /** What runs it, as other machines name it; default `serve`. */
  readonly command?: string;
}

/** There is no log whose records have to be indexed. */
const NO_LOG = { segment: 0, offset: 0 };

/** Reads of a server, which keep requests waiting, in ms. */
const READ_MS = 10_000;

/** Opens the store to write, made and migrated if need be. Throws `schema_version`, and what `connect` does. */
export async function openPostgres({
  address,
  redact = (text) => text,
  folder = '',
  command = 'serve',
}: PostgresOptions): Promise<Store> {
  await makeCurrent(address);
  const { sql, close: closeLink } = openLink(address, { statementMs: READ_MS });
  const lost = new Set<() => void>();
  let machine: Machine = {
    id: createIds(Date.now).next('mac'),
    ...{ host: hostname(), folder, command, version: hookctlVersion(), pid: process.pid },
  };
  let machines = 1;
  const hints = openHints(address, () => machines > 1);
  const writer = startWriter({
    path: address.shown,
    entry: 'store/postgres/writer',
    workerData: { address, machine } satisfies WriterData,
    end: NO_LOG,
    failed: () => undefined,
    damaged: () => undefined,
    answered: hints.give,
    heard(said) {
      machine = { ...machine, id: (said as Rejoined).machine };
      for (const each of lost) each();
    },
  });
  const acceptor = openAcceptor(address, () => machine.id, hints.give);
  // Beside the operations of the port.
  const call: (name: 'beat') => Promise<unknown> = writer.call as never;
  const shared: SharedStore = {
    async beat() {
      const beaten = (await call('beat')) as Beat;
      machines = beaten.machines;
      return beaten;
    },
    documentVersion: (name) => sql.count('select version from documents where name = ?', [name]),
    sessionElsewhere: (conversationId, sessionKey) =>
      sessionElsewhere(sql, machine, conversationId, sessionKey),
    turnOf: (id) => turnsOf(sql, machine, [id]).get(id) ?? 'elsewhere',
    turnsOf: (ids) => turnsOf(sql, machine, ids),
    ownerOfRun: (id) => ownerOfRun(sql, machine, id),
    onHint: hints.on,
    onLost(listen) {
      lost.add(listen);
      return () => void lost.delete(listen);
    },
  };
  // Others see this machine from now on.
  await shared.beat();
  const reader = readerOf(sql);
  return {
    ...reader,
    lastSession: (conversationId, sessionKey) => ownSession(sql, machine, conversationId, sessionKey),
    waitingOutgoing: (limit) => (isSender(sql, machine) ? reader.waitingOutgoing(limit) : []),
    ...redacting(writesOf(sql, writer, acceptor.accept), redact),
    shared,
    get problems() {
      const why = writer.failure();
      return why === null ? [] : [`${address.shown}: ${why}`];
    },
    async close() {
      await acceptor.close();
      await writer.close();
      await hints.close();
      closeLink();
    },
  };
}

function writesOf(
  sql: Sql,
  writer: Writer,
  accept: Store['accept'],
): Omit<Store, keyof StoreReader | 'problems' | 'shared'> {
  return {
    ...forwarded(writer),
    accept,
    // What was accepted is a row.
    indexed: async () => undefined,
    async recordOutcome(outcome) {
      return writer.call('recordOutcome', outcome);
    },
    async noteSync(notes) {
      if (notes.length > 0) await writer.call('noteSync', notes);
    },
    async sweepLog(): Promise<Swept> {
      const today = sql.count('select floor(extract(epoch from clock_timestamp()) / 86400)::bigint');
      const over = daysOf(sql).filter(({ day }) => day <= today);
      const { segments: gone } = await writer.call(
        'findUnused',
        over.map(({ day }) => day),
      );
      const removed = over.filter(({ day }) => gone.includes(day));
      return { segments: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
    },
  };
}

/** Appends to the audit from a process that is not the server. All entries are on disk when this resolves. */
export async function appendPostgresAudit(
  address: Address,
  entries: readonly NewAuditEntry[],
  redact: Redact = (text) => text,
): Promise<void> {
  await makeCurrent(address);
  const link = openLink(address);
  try {
    link.exec('begin');
    recordAudit(link.sql, withoutSecrets(entries, redact));
    link.exec('commit');
  } finally {
    link.close();
  }
}

export { sharedDocument } from './document.ts';
