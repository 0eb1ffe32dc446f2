import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Database } from './rows.ts';

/** Placeholder of a value while the query is compiled. */
class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Compiles a query at its first use; later calls only put in their values. Compiling costs about 20 µs, which for the
 * four queries of an accept is more than all the rest on the thread that answers. `build` must pass each value on
 * as a parameter and look into none, and every call must have the same fields.
 */
export function compileOnce<Values extends object, Row>(
  build: (values: Values) => CompiledQuery<Row>,
): (values: Values) => CompiledQuery<Row> {
  let template: CompiledQuery<Row> | null = null;
  return (values) => {
    template ??= build(slotsFor(values));
    const bound = values as Readonly<Record<string, unknown>>;
    const parameters = template.parameters.map((value) =>
      value instanceof Slot ? bound[value.name] : value,
    );
    return { ...template, parameters };
  };
}

function slotsFor<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.keys(values).map((name) => [name, new Slot(name)])) as Values;
}

/**
 * A number for a column of whole numbers, which SQLite's strict tables refuse with a fraction: clocks and agents' own
 * figures have some.
 */
export function whole<Given extends number | null>(value: Given): Given {
  return (value === null ? null : Math.ceil(value)) as Given;
}

/** Kysely as a typed query builder only: it compiles, the connections in `sqlite.ts` execute. */
export const sqlBuilder = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Rows of a list when its filter sets no limit. */
export const PAGE_SIZE = 50;
