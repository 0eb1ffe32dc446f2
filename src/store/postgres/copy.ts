import { createHash } from 'node:crypto';
import { failure } from '../../errors.ts';
import { prepare } from '../local/index.ts';
import { type AppendLog, openAppendLog } from '../local/log/append-log.ts';
import { type BodyLocation, createBodyReader } from '../local/log/body-reader.ts';
import type { Claimant } from '../local/log/claims.ts';
import { type RecordedRow, recordOf } from '../local/log/record.ts';
import { logFolder } from '../local/log/segments.ts';
import { openSql, type Row, type Sql } from '../local/sql.ts';
import { openForWriting } from '../local/sqlite.ts';
import { holdKeys } from './accept/keys.ts';
import type { Address } from './client.ts';
import { machinesIn, own } from './machines.ts';
import { makeCurrent } from './schema.ts';
import { openLink } from './sql.ts';

/** A store to read or to fill, whichever database it is. */
interface Side {
  readonly sql: Sql;
  /** Bytes of a row of `deliveries`; null when none are kept. */
  body(row: Row): Uint8Array | null;
  /** Stores rows of a table; those of `deliveries` with their bodies. */
  fill(table: Table, rows: readonly Row[], bodies: readonly (Uint8Array | null)[]): Promise<void>;
  /** Ends what was filled. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

interface CopyOptions {
  /** Path of the db in a data folder that this process has. */
  readonly path: string;
  readonly address: Address;
  /** Whether the folder is copied into the database, or the other way round. */
  readonly to: 'database' | 'folder';
  /** Called with each table and all rows that were copied so far. */
  readonly told: (table: string, rows: number) => void;
}

/** What a copy did. */
interface Copied {
  readonly rows: number;
  readonly bodies: number;
  /** Of all rows and bodies, in any order; the same on both sides. */
  readonly checksum: string;
}

/** Rows that are read and written at once. */
const PAGE = 200;

/**
 * Copies a store that nothing writes to into an empty one, and compares both afterwards, row by row and byte by byte. Throws `exists`
 * when the target holds something, `copy_differs` when both differ.
 */
export async function copyStore({ path, address, to, told }: CopyOptions): Promise<Copied> {
  prepare(path);
  await makeCurrent(address);
  const [folder, database] = [folderSide(path), databaseSide(address)];
  const [source, target] = to === 'database' ? [folder, database] : [database, folder];
  try {
    const busy = machinesIn(database.sql).find(({ isGone }) => !isGone);
    if (busy !== undefined)
      throw failure(
        'in_use',
        `hookctl ${busy.command} on ${busy.host} (pid ${busy.pid}) works on the database`,
        {
          fix: 'Stop it first: hookctl machine list.',
        },
      );
    const count = (table: string) => target.sql.count(`select count(*) from ${table}`);
    if (count('deliveries') + count('tasks') + count('audit') > 0)
      throw failure('exists', 'the target holds deliveries, tasks or an audit already', {
        fix: 'Copy into a new folder (HOOKCTL_HOME), or a new schema (`?schema=name` in the URL).',
      });
    const tables = tablesIn(folder.sql);
    target.sql.run('delete from installation');
    let rows = 0;
    for (const table of tables) {
      for (const page of pagesOf(source.sql, table)) {
        await target.fill(table, page, table.name === 'deliveries' ? page.map(source.body) : []);
        rows += page.length;
        told(table.name, rows);
      }
    }
    await target.finish();
    const [before, after] = [digestsOf(source, tables), digestsOf(target, tables)];
    const differing = tables.filter(({ name }) => before.get(name) !== after.get(name));
    if (differing.length > 0)
      throw failure(
        'copy_differs',
        `the copy differs in ${differing.map(({ name }) => name).join(', ')}: do not use it`,
      );
    const checksum = createHash('sha256')
      .update(JSON.stringify([...before]))
      .digest('hex');
    return { rows, bodies: source.sql.count(KEPT), checksum };
  } finally {
    await folder.close();
    await database.close();
  }
}

const KEPT = 'select count(*) from deliveries where body_segment is not null';

/** In the order in which they were made: a row is stored after those that it refers to. */
function tablesIn(sql: Sql): readonly Table[] {
  return sql
    .column(
      `select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'body_log'
       order by rowid`,
    )
    .map((name) => ({ name, columns: sql.column('select name from pragma_table_info(?)', [name]) }));
}

/** Tables with an id page after page, the others, which are narrow, at once. */
function* pagesOf(sql: Sql, { name, columns }: Table): Generator<readonly Row[]> {
  if (columns[0] !== 'id') {
    yield sql.all(`select * from ${name}`);
    return;
  }
  for (let after: Row[string] = null; ; ) {
    const page: readonly Row[] =
      after === null
        ? sql.all(`select * from ${name} order by id limit ?`, [PAGE])
        : sql.all(`select * from ${name} where id > ? order by id limit ?`, [after, PAGE]);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id ?? null;
  }
}

function insert(sql: Sql, { name, columns }: Table, rows: readonly Row[]): void {
  const text = `insert into ${name} (${columns.map((each) => `"${each}"`)}) values (${columns.map(() => '?')})`;
  for (const row of rows)
    sql.run(
      text,
      columns.map((each) => row[each] ?? null),
    );
}

function folderSide(path: string): Side {
  const db = openForWriting(path);
  const sql = openSql(db);
  const read = createBodyReader(logFolder(path));
  let log: Promise<AppendLog> | null = null;

  async function logged(row: Row, body: Uint8Array | null): Promise<Row> {
    if (body === null || row.status === 'duplicate') return { ...row, body_segment: null, body_offset: null };
    log ??= openAppendLog(path, { after: { segment: 0, offset: 0 } });
    const { segment, offset } = await (await log).append(recordOf(row as unknown as RecordedRow, body));
    return { ...row, body_segment: segment, body_offset: offset };
  }

  return {
    sql,
    body: (row) => (row.body_segment === null ? null : read(row as unknown as BodyLocation)),
    async fill(table, rows, bodies) {
      const stored =
        bodies.length === 0
          ? rows
          : await Promise.all(rows.map((row, at) => logged(row, bodies[at] ?? null)));
      sql.run('begin immediate');
      insert(sql, table, stored);
      sql.run('commit');
    },
    async finish() {
      const end = (await log)?.end();
      if (end !== undefined)
        sql.run('update body_log set segment = ?, "offset" = ?', [end.segment, end.offset]);
    },
    async close() {
      await (await log)?.close();
      db.close();
    },
  };
}

const DAY_MS = 86_400_000;

function databaseSide(address: Address): Side {
  const { sql, exec, close } = openLink(address, { statementMs: 600_000 });
  const days = new Set<number>();
  let number = 0;

  /** A place for the body, in the day on which it came. */
  function placed(row: Row, body: Uint8Array | null): Row {
    if (body === null) return { ...row, body_segment: null, body_offset: null };
    const day = Math.floor(Math.min(Number(row.received_at), Date.now()) / DAY_MS);
    if (!days.has(day))
      exec(
        `create table if not exists bodies_${day} partition of bodies for values from (${day}) to (${day + 1})`,
      );
    days.add(day);
    sql.run('insert into bodies (day, delivery_id, bytes) values (?, ?, ?)', [day, String(row.id), body]);
    number += 1;
    return { ...row, body_segment: day, body_offset: number };
  }

  return {
    sql,
    body: (row) =>
      row.body_segment === null
        ? null
        : sql.value<Uint8Array>('select bytes from bodies where day = ? and delivery_id = ?', [
            row.body_segment ?? null,
            row.id ?? null,
          ]),
    async fill(table, rows, bodies) {
      exec('begin');
      insert(sql, table, bodies.length === 0 ? rows : rows.map((row, at) => placed(row, bodies[at] ?? null)));
      for (const row of table.name === 'deliveries' ? rows : []) {
        if (row.status !== 'pending') continue;
        holdKeys(sql, row as unknown as Claimant);
        // The first server that starts takes it on.
        own(sql, { id: 'copied' }, String(row.id));
      }
      exec('commit');
    },
    async finish() {
      if (number > 0) sql.value("select setval('body_numbers', ?)::text", [number]);
      for (const table of ['task_transitions', 'audit'])
        sql.value(
          `select setval(pg_get_serial_sequence('${table}', 'id'), (select coalesce(max(id), 0) + 1 from ${table}))::text`,
        );
    },
    close: async () => close(),
  };
}

/** Where a body is, is each store's own. */
const PLACES = ['body_segment', 'body_offset'];

/** For each table the sum of its rows' digests, which does not depend on their order. */
function digestsOf(side: Side, tables: readonly Table[]): ReadonlyMap<string, string> {
  return new Map(
    tables.map((table) => {
      let sum = 0n;
      for (const page of pagesOf(side.sql, table)) {
        for (const row of page) {
          const hash = createHash('sha256');
          const values = table.columns.filter((name) => !PLACES.includes(name)).map((name) => row[name]);
          hash.update(JSON.stringify(values));
          if (table.name === 'deliveries') hash.update(side.body(row) ?? 'no body');
          sum += BigInt(`0x${hash.digest('hex')}`);
        }
      }
      return [table.name, (sum % 2n ** 256n).toString(16)];
    }),
  );
}
