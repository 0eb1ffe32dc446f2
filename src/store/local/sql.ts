import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { messageOf } from '../../errors.ts';
import { coalesce } from '../../lib/time-slicer.ts';
import { explained, openForReading, openForWriting } from './sqlite.ts';

/** What a statement is given. A flag is stored as 0 or 1, a list or an object as JSON. */
export type Value = SQLInputValue | boolean | object;

/** Values of a statement: by name for `:name`, in order for `?`. A name that the statement does not use is ignored. */
type Values = Readonly<Record<string, Value>> | readonly Value[];

/** A row as SQLite returns it. */
export type Row = Readonly<Record<string, string | number | null>>;

/**
 * Runs SQL on one connection. Each text is prepared once, so a text never holds a value. All throw what SQLite says, but
 * `store_damaged` or `store_unusable` where file or disk are at fault.
 */
export interface Sql {
  /** All rows that a statement returns. `Result` names their columns. */
  all<Result = Row>(text: string, values?: Values): readonly Result[];
  /** Its first row; null when it returns none. */
  one<Result = Row>(text: string, values?: Values): Result | null;
  /** The first column of all its rows. */
  column<Result = string>(text: string, values?: Values): readonly Result[];
  /** The first column of its first row; null when it returns none. */
  value<Result = string>(text: string, values?: Values): Result | null;
  /** The first column of the first row, as a number; 0 when the statement returns no row. */
  count(text: string, values?: Values): number;
  /** How many rows the statement changed. */
  run(text: string, values?: Values): number;
}

/** A text with its names turned into places: SQLite binds values several times faster by place. */
interface Prepared {
  readonly statement: StatementSync;
  readonly names: readonly string[];
}

const NAME = /:([a-zA-Z]+)/g;

interface SqlOptions {
  /** Called with each error of SQLite, beside the one that is thrown. */
  readonly failed?: ((reason: string) => void) | undefined;
  /** Called before each statement. */
  readonly before?: () => void;
}

export function openSql(db: DatabaseSync, { failed, before }: SqlOptions = {}): Sql {
  const prepared = new Map<string, Prepared>();

  function prepare(text: string): Prepared {
    const names = [...text.matchAll(NAME)].map(([, name = '']) => name);
    const made = { statement: db.prepare(text.replaceAll(NAME, '?')), names };
    prepared.set(text, made);
    return made;
  }

  function execute<Result>(
    text: string,
    values: Values,
    work: (statement: StatementSync, stored: SQLInputValue[]) => Result,
  ): Result {
    try {
      before?.();
      const { statement, names } = prepared.get(text) ?? prepare(text);
      return work(statement, isList(values) ? values.map(stored) : names.map((name) => stored(values[name])));
    } catch (error) {
      failed?.(messageOf(error));
      throw explained(error, db.location() ?? 'the store');
    }
  }

  const all = (text: string, values: Values = []) =>
    execute(text, values, (statement, given) => statement.all(...given)) as readonly unknown[];
  const one = (text: string, values: Values = []) =>
    execute(text, values, (statement, given) => statement.get(...given)) as unknown;
  return {
    all: <Result>(text: string, values?: Values) => all(text, values) as readonly Result[],
    one: <Result>(text: string, values?: Values) => (one(text, values) ?? null) as Result | null,
    column: <Result>(text: string, values?: Values) => all(text, values).map(first) as readonly Result[],
    value: <Result>(text: string, values?: Values) => first(one(text, values)) as Result | null,
    count: (text, values) => Number(first(one(text, values))),
    run: (text, values = []) =>
      Number(execute(text, values, (statement, given) => statement.run(...given)).changes),
  };
}

interface Snapshots {
  readonly sql: Sql;
  /** Lets the next read see what was written meanwhile. */
  renew(): void;
}

/**
 * Lets all reads of one turn of the event loop see one state of the db: taking its lock and reading its pages anew for each
 * costs several times the read itself.
 */
export function openSnapshots(db: DatabaseSync, failed: (reason: string) => void): Snapshots {
  const begin = db.prepare('begin');
  const end = db.prepare('commit');
  function renew(): void {
    try {
      if (db.isOpen && db.isTransaction) end.run();
    } catch (error) {
      failed(messageOf(error));
    }
  }
  const renewSoon = coalesce(renew);
  function before(): void {
    if (db.isTransaction) return;
    begin.run();
    renewSoon();
  }
  return { sql: openSql(db, { failed, before }), renew };
}

/** Opens a db to read, and closes it when the work with it is done or has failed. Throws what `openForReading` does. */
export function reading<Result>(path: string, work: (sql: Sql, db: DatabaseSync) => Result): Result {
  return closing(openForReading(path), work);
}

/** The same to write, made if it is missing. Throws what `openForWriting` does. */
export function writing<Result>(path: string, work: (sql: Sql, db: DatabaseSync) => Result): Result {
  return closing(openForWriting(path), work);
}

function closing<Result>(db: DatabaseSync, work: (sql: Sql, db: DatabaseSync) => Result): Result {
  try {
    return work(openSql(db), db);
  } finally {
    db.close();
  }
}

function first(row: unknown): unknown {
  return row === undefined ? null : Object.values(row as Row)[0];
}

function isList(values: Values): values is readonly Value[] {
  return Array.isArray(values);
}

/** A value that is missing is refused by SQLite. */
function stored(value: Value | undefined): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value as SQLInputValue;
}

/** The end of a `select`, with its values in order. */
export interface Query {
  readonly text: string;
  readonly values: readonly Value[];
}

type Conditions = Readonly<Record<string, SQLInputValue | true | undefined>>;

/**
 * A `where` of the conditions that have a value. Each is SQL with one `?`, or with none and `true` as its value; empty when all
 * are undefined.
 */
export function where(conditions: Conditions): Query {
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return {
    text: given.length === 0 ? '' : `where ${given.map(([condition]) => condition).join(' and ')}`,
    values: given.flatMap(([, value]) => (value === true || value === undefined ? [] : [value])),
  };
}

interface Page {
  readonly after?: string;
  readonly before?: string | number;
  readonly limit?: number;
}

/** A page of a list in the order of ids: the first rows after an id, or the last ones before one, the newest first. */
export function page(conditions: Conditions, { after, before, limit }: Page): Query {
  const { text, values } = where({ ...conditions, 'id > ?': after, 'id < ?': before });
  return limited(`${text} order by id ${after === undefined ? 'desc' : 'asc'}`, values, limit);
}

/** At most 50 rows where a filter sets no limit. */
export function limited(text: string, values: readonly Value[], limit = 50): Query {
  return { text: `${text} limit ?`, values: [...values, limit] };
}

/**
 * A number for a column of whole numbers, which SQLite's strict tables refuse with a fraction: clocks and agents' own
 * figures have some.
 */
export function whole<Given extends number | null>(value: Given): Given {
  return (value === null ? null : Math.ceil(value)) as Given;
}
