import { hostname } from 'node:os';
import { failure } from '../../errors.ts';
import { createIds } from '../../lib/ids.ts';
import { hookctlVersion } from '../../package-root.ts';
import type { BodyLocation } from '../local/log/body-reader.ts';
import { type Redact, redacting } from '../local/redact-writes.ts';
import { readsOf } from '../local/reports/reads.ts';
import type { Sql } from '../local/sql.ts';
import { forwarded, startWriter, type Writer } from '../local/writer-client.ts';
import type { Swept } from '../selection.ts';
import type { Store, StoreReader } from '../store.ts';
import { openAcceptor } from './accept.ts';
import { type Address, connect } from './client.ts';
import { migrate } from './schema.ts';
import { openLink } from './sql.ts';
import type { WriterData } from './writer.ts';

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
  /** What runs it, as other machines name it; default `serve`. */
  readonly command?: string;
}

/** There is no log whose records have to be indexed. */
const NO_LOG = { segment: 0, offset: 0 };

/** Opens the store to write, made and migrated if need be. Throws `schema_version`, and what `connect` does. */
export async function openPostgres({
  address,
  redact = (text) => text,
  command = 'serve',
}: PostgresOptions): Promise<Store> {
  const client = await connect(address, { statementMs: 600_000 });
  try {
    await migrate(client, address);
  } finally {
    await client.end().catch(() => undefined);
  }
  const link = openLink(address);
  const reader = readerOf(link.sql);
  const machine = {
    id: createIds(Date.now).next('mac'),
    host: hostname(),
    ...{ command, version: hookctlVersion(), pid: process.pid },
  };
  const writer = startWriter({
    path: address.shown,
    entry: 'store/postgres/writer',
    workerData: { address, machine } satisfies WriterData,
    end: NO_LOG,
    failed: () => undefined,
    damaged: () => undefined,
    answered: () => undefined,
  });
  const acceptor = openAcceptor(address);
  return {
    ...reader,
    ...redacting(writesOf(link.sql, writer, acceptor.accept), redact),
    get problems() {
      const why = writer.failure();
      return why === null ? [] : [`${address.shown}: ${why}`];
    },
    async close() {
      await acceptor.close();
      await writer.close();
      link.close();
    },
  };
}

function writesOf(
  sql: Sql,
  writer: Writer,
  accept: Store['accept'],
): Omit<Store, keyof StoreReader | 'problems'> {
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
