import { camelCased, snakeCased } from '../../../lib/case.ts';
import type { Query, Row, Sql, Value } from '../sql.ts';

/**
 * How a field is stored whose column does not hold the same value under its name in snake_case: in which column as 0 or 1, in
 * which as JSON, or as an object whose fields have columns of their own.
 */
type Stored<Field> = Field extends boolean
  ? readonly ['flag', column: string]
  : readonly ['json', column: string] | readonly ['fields', ...(keyof Field & string)[]];

type Shape<Model> = {
  readonly [Name in keyof Model as Model[Name] extends string | number | null ? never : Name]: Stored<
    Model[Name]
  >;
};

/** Where a column's value goes: into a field of the record, or of the object in its field `within`. */
interface Place {
  readonly kind: string;
  readonly field: string;
  readonly within?: string;
}

type Fields = Record<string, unknown>;

/** The table that holds records of a type. `rest`: SQL that follows its name. */
export interface Table<Model, Own = unknown> {
  /** The record that a row holds, without `Own`. */
  read(row: Row): Model;
  all(sql: Sql, rest: string, values?: readonly Value[]): readonly Model[];
  list(sql: Sql, query: Query): readonly Model[];
  /** The first matching record. Null when no row matches. */
  one(sql: Sql, rest: string, values: readonly Value[]): Model | null;
  get(sql: Sql, id: string): Model | null;
  insert(sql: Sql, record: Partial<Model & Own>, rest?: string): void;
  /** Changes fields of a record, if it meets a condition. False when it does not, or does not exist. */
  update(sql: Sql, id: string, changed: Partial<Model & Own>, condition?: string): boolean;
}

/** `Own`, `own`: fields that the store alone knows. */
export function table<Model, Own = unknown>(
  name: string,
  shape: Shape<Model>,
  own: readonly (keyof Own & string)[] = [],
): Table<Model, Own> {
  const places = new Map<string, Place>(own.map((field) => [snakeCased(field), { kind: 'own', field }]));
  /** Of fields; null for one that is an object of several. */
  const columns = new Map<string, string | null>();
  for (const [field, [kind, ...stored]] of Object.entries<readonly [string, ...string[]]>(shape)) {
    const isSpread = kind === 'fields';
    for (const each of stored) {
      if (isSpread) places.set(snakeCased(each), { kind: 'plain', field: each, within: field });
      else places.set(each, { kind, field });
      columns.set(field, isSpread ? null : each);
    }
  }

  function placeOf(column: string): Place {
    const known = places.get(column);
    if (known !== undefined) return known;
    places.set(column, { kind: 'plain', field: camelCased(column) });
    return placeOf(column);
  }

  function read(row: Row): Model {
    const record: Fields = {};
    for (const column in row) {
      const { kind, field, within } = placeOf(column);
      const value = row[column];
      if (kind === 'json') record[field] = JSON.parse(String(value));
      else if (kind === 'flag') record[field] = value === 1;
      else if (within !== undefined) inner(record, within)[field] = value;
      else if (kind === 'plain') record[field] = value;
    }
    return record as Model;
  }

  function columnOf(field: string): string | null {
    const known = columns.get(field);
    if (known !== undefined) return known;
    columns.set(field, snakeCased(field));
    return columnOf(field);
  }

  /** Fields as columns, with their values. */
  function stored(fields: object, names: string[] = [], values: Value[] = []) {
    for (const [field, value] of Object.entries(fields)) {
      const column = columnOf(field);
      if (column === null) stored(value, names, values);
      else {
        names.push(column);
        values.push(value);
      }
    }
    return { names, values };
  }

  const all = (sql: Sql, rest: string, values?: readonly Value[]) =>
    sql.all(`select * from ${name} ${rest}`, values).map(read);
  function one(sql: Sql, rest: string, values: readonly Value[]): Model | null {
    const row = sql.one(`select * from ${name} ${rest}`, values);
    return row === null ? null : read(row);
  }
  return {
    read,
    all,
    list: (sql, { text, values }) => all(sql, text, values),
    one,
    get: (sql, id) => one(sql, 'where id = ?', [id]),
    insert(sql, record, rest = '') {
      const { names, values } = stored(record);
      sql.run(`insert into ${name} (${names}) values (?${',?'.repeat(names.length - 1)}) ${rest}`, values);
    },
    update(sql, id, changed, condition = 'true') {
      const { names, values } = stored(changed);
      const set = names.map((column) => `${column} = ?`).join();
      if (set === '') return false;
      return sql.run(`update ${name} set ${set} where id = ? and ${condition}`, [...values, id]) > 0;
    },
  };
}

function inner(record: Fields, field: string): Fields {
  record[field] ??= {};
  return record[field] as Fields;
}
