import type { Command } from 'commander';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';
import type { Filters, StoreReader } from '../../store/store.ts';
import type { JsonFlags, Runner } from './command.ts';
import { positive } from './options.ts';
import { counted, printJson } from './print.ts';
import { type NameFilter, requireKnown, sayNoRows } from './stored.ts';
import { type Column, table } from './table.ts';

/** The flags of every list, and those that a noun adds. */
export interface ListFlags extends JsonFlags {
  readonly limit: number;
  readonly before?: string;
  readonly follow?: boolean;
}

/** A column of a list, and what a row shows in it. */
export type ListColumn<Row> = readonly [column: string | Column, text: (row: Row) => string];

/** What the list of one noun consists of. */
interface ListOf<List extends keyof Filters, Flags extends ListFlags, Row> {
  /** The list in the store. */
  readonly list: List;
  /** One of what is listed, and several: `task`, `tasks`. */
  readonly nouns: readonly [one: string, several: string];
  /** Names among the filters: one that does not exist is an error, not an empty list. */
  readonly names?: (app: Services, flags: Flags) => readonly NameFilter[];
  readonly filter: (flags: Flags, app: Services) => Filters[List];
  readonly rows: (store: StoreReader, filter: Filters[List]) => readonly Row[];
  /** What `--before` names; left out where any id will do. */
  readonly find?: (store: StoreReader, id: string) => object | null | undefined;
  /** How many there are without any filter, where that is cheap to know. */
  readonly total?: (store: StoreReader) => number;
  /** Checks what was typed for `--before`, where any text would not do. */
  readonly before?: (typed: string) => string;
  readonly columns: (rows: readonly Row[]) => readonly ListColumn<Row>[];
  /** Goes on behind the first page, for `--follow`. */
  readonly follow?: (app: Services, flags: Flags, rows: readonly Row[]) => Promise<0>;
  /** Help of `--json`, when it is not an array alone. */
  readonly json?: string;
}

/** Adds `--limit`, `--before` and `--json`, and what a list does with them. A noun's own filters come before. */
export function listCommand<
  List extends keyof Filters,
  Flags extends ListFlags,
  Row extends { readonly id: string | number },
>(command: Command, runner: Runner, of: ListOf<List, Flags, Row>): Command {
  return command
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page', of.before ?? String)
    .option('--json', of.json ?? 'print an array')
    .action(runner.action(command, (app, flags: Flags) => list(app, command, flags, of, runner.argv)));
}

async function list<
  List extends keyof Filters,
  Flags extends ListFlags,
  Row extends { readonly id: string | number },
>(
  app: Services,
  command: Command,
  flags: Flags,
  of: ListOf<List, Flags, Row>,
  argv: readonly string[],
): Promise<0> {
  const store = app.reader();
  const filter = of.filter(flags, app);
  await requireKnown(...(of.names?.(app, flags) ?? []));
  if (of.find !== undefined) requireBefore(app, flags.before, of.find);
  const rows = store === null ? [] : of.rows(store, filter);
  if (flags.follow === true && of.follow !== undefined) return of.follow(app, flags, rows);
  if (flags.json === true) printJson(app.io, rows);
  else if (rows.length === 0) {
    const total = store === null ? 0 : of.total?.(store);
    sayNoRows(app, {
      nouns: of.nouns,
      filters: givenFilters(command),
      ...(total !== undefined && { total }),
    });
  } else {
    const columns = of.columns(rows);
    const titles = columns.map(([column]) => column);
    const cells = rows.map((row) => columns.map(([, text]) => text(row)));
    say(app.io.out, await table(app.io.out, titles, cells));
  }
  sayNextPage(app, { list: of.list, filter, rows, argv });
  return 0;
}

/** The filter `--flow`. */
export function flowName(app: Services, flow: string | undefined): NameFilter {
  const known = () => (app.reader()?.flows({ id: flow ?? '' }) ?? []).map(({ id }) => id);
  return { noun: 'flow', value: flow, known: [known] };
}

/** Every option that was given and narrows the list, as it was typed. */
function givenFilters(command: Command): Readonly<Record<string, string>> {
  const values = command.opts<Readonly<Record<string, unknown>>>();
  return Object.fromEntries(
    command.options.flatMap((option) => {
      const value = values[option.attributeName()];
      const isFilter = typeof value === 'string' && option.long !== '--limit';
      return isFilter ? [[option.long ?? '', value] as const] : [];
    }),
  );
}

/** Nothing is older than an id that does not exist. Throws `not_found`. */
function requireBefore(
  app: Services,
  before: string | undefined,
  find: (store: StoreReader, id: string) => object | null | undefined,
): void {
  const store = app.reader();
  if (before === undefined || (store !== null && find(store, before))) return;
  throw notFound(
    `there is no ${before} in ${app.located.dataFolder}`,
    'Give --before the last id of the page before.',
  );
}

/** A page of a list that may have been cut. */
interface Page<List extends keyof Filters> {
  readonly list: List;
  readonly filter: Filters[List];
  readonly rows: readonly { readonly id: string | number }[];
  /** The command line as it was typed. */
  readonly argv: readonly string[];
}

/** `50 of 2,232; next page: hookctl task list --before task-…` when there are older rows than the page has. */
function sayNextPage<List extends keyof Filters>(
  app: Services,
  { list, filter, rows, argv }: Page<List>,
): void {
  const store = app.reader();
  const last = rows.at(-1)?.id;
  if (store === null || last === undefined || rows.length < (filter.limit ?? 0)) return;
  const older = { ...filter, before: last } as Filters[List];
  if (store.count(list, older) === 0) return;
  const { before, ...all } = filter;
  const next = commandLine('hookctl', ...without('--before', argv), '--before', String(last));
  const total = store.count(list, all as Filters[List]);
  say(app.io.err, `${counted(rows.length)} of ${counted(total)}; next page: ${next}`);
}

function without(option: string, argv: readonly string[]): readonly string[] {
  return argv.filter(
    (word, at) => word !== option && argv[at - 1] !== option && !word.startsWith(`${option}=`),
  );
}
