import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { messageOf } from '../../errors.ts';
import { explained } from './sqlite.ts';

/** Values of a statement: by name for `:name`, in order for `?`. A name that the statement does not use is ignored. */
type Values = Readonly<Record<string, SQLInputValue>> | readonly SQLInputValue[];

/**
 * Runs SQL on one connection. Each text is prepared once, so a text never holds a value. All three throw what SQLite says,
 * but `store_damaged` or `store_unusable` where file or disk are at fault.
 */
export interface Sql {
  /** All rows that a statement returns. `Row` names its columns. */
  all<Row>(text: string, values?: Values): readonly Row[];
  /** Its first row; null when it returns none. */
  one<Row>(text: string, values?: Values): Row | null;
  /** How many rows the statement changed. */
  run(text: string, values?: Values): number;
}

/** `failed` is called with each error of SQLite, beside the one that is thrown. */
export function openSql(db: DatabaseSync, failed?: (reason: string) => void): Sql {
  const prepared = new Map<string, StatementSync>();

  function statementOf(text: string): StatementSync {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const statement = db.prepare(text);
    statement.setAllowUnknownNamedParameters(true);
    prepared.set(text, statement);
    return statement;
  }

  function execute<Result>(text: string, work: (statement: StatementSync) => Result): Result {
    try {
      return work(statementOf(text));
    } catch (error) {
      failed?.(messageOf(error));
      throw explained(error, db.location() ?? 'the store');
    }
  }

  return {
    all: <Row>(text: string, values: Values = []) =>
      execute(text, (statement) =>
        isList(values) ? statement.all(...values) : statement.all(values),
      ) as readonly unknown[] as readonly Row[],
    one: <Row>(text: string, values: Values = []) =>
      (execute(text, (statement) => (isList(values) ? statement.get(...values) : statement.get(values))) ??
        null) as Row | null,
    run: (text, values = []) =>
      Number(
        execute(text, (statement) => (isList(values) ? statement.run(...values) : statement.run(values)))
          .changes,
      ),
  };
}

function isList(values: Values): values is readonly SQLInputValue[] {
  return Array.isArray(values);
}

/** SQL with its values, in order. */
export interface Query {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

/**
 * A `where` of the conditions that have a value. Each is SQL with one `?`, or with none and `true` as its value; empty when all
 * are undefined.
 */
export function where(conditions: Readonly<Record<string, SQLInputValue | true | undefined>>): Query {
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return {
    text: given.length === 0 ? '' : `where ${given.map(([condition]) => condition).join(' and ')}`,
    values: given.flatMap(([, value]) => (value === true || value === undefined ? [] : [value])),
  };
}

/** Rows of a list when its filter sets no limit. */
export const PAGE_SIZE = 50;

/**
 * A number for a column of whole numbers, which SQLite's strict tables refuse with a fraction: clocks and agents' own
 * figures have some.
 */
export function whole<Given extends number | null>(value: Given): Given {
  return (value === null ? null : Math.ceil(value)) as Given;
}
