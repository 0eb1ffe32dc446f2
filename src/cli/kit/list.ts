import { requireFolder } from '../../config/project/locate.ts';
import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';
import type { Filters, StoreReader } from '../../store/store.ts';
import { OPERATOR } from '../../types/webhook.ts';
import type { Command, JsonFlags, Runner } from './command.ts';
import { positive } from './options.ts';
import { counted, printJson } from './print.ts';
import { remoteCall, remoteRows } from './remote.ts';
import { type NameFilter, ownerName, requireKnown, sayNoRows } from './stored.ts';
import { type Column, table } from './table.ts';

/** Flags that every list takes; a noun adds its own. */
export interface ListFlags extends JsonFlags {
  readonly limit: number;
  readonly before?: string;
  readonly owner?: string;
  readonly follow?: boolean;
}

/** A column of a list, and its text in a row. */
export type ListColumn<Row> = readonly [column: string | Column, text: (row: Row) => string];

/** The list command of one noun. */
interface ListOf<List extends keyof Filters, Flags extends ListFlags, Row> {
  /** The list in the store. */
  readonly list: List;
  /** Singular and plural: `task`, `tasks`. */
  readonly nouns: readonly [one: string, several: string];
  /** Names among the filters: one that does not exist is an error, not an empty list. */
  readonly names?: (app: Services, flags: Flags) => readonly NameFilter[];
  readonly filter: (flags: Flags, app: Services) => Filters[List] | Promise<Filters[List]>;
  readonly rows: (store: StoreReader, filter: Filters[List]) => readonly Row[];
  /** Finds the row that `--before` names; left out when any id is valid. */
  readonly find?: (store: StoreReader, id: string) => object | null | undefined;
  /** Number of rows without filters; left out when counting is slow. */
  readonly total?: (store: StoreReader) => number;
  /** Checks the value of `--before`; left out when any text is valid. */
  readonly before?: (typed: string) => string;
  readonly columns: (rows: readonly Row[]) => readonly ListColumn<Row>[];
  /** Continues after the first page, for `--follow`. */
  readonly follow?: (app: Services, of: Followed<Filters[List], Flags, Row>) => Promise<0>;
  /** Help of `--json`, when it prints more than an array. */
  readonly json?: string;
}

/** What `--follow` goes on from: the first page, and what selected it. */
export interface Followed<Filter, Flags, Row> {
  readonly flags: Flags;
  readonly filter: Filter;
  readonly rows: readonly Row[];
}

/** Adds `--limit`, `--before`, `--json` and the action to a command that has its own filters already. */
export function listCommand<
  List extends keyof Filters,
  Flags extends ListFlags,
  Row extends { readonly id: string | number; readonly owner: string },
>(command: Command, runner: Runner, of: ListOf<List, Flags, Row>): Command {
  return command
    .option('--owner <name>', 'only what belongs to this owner')
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--before <id>', 'only older ones than this: the next page', of.before ?? String)
    .option('--json', of.json ?? 'print an array')
    .action(runner.action(command, (app, flags: Flags) => list(app, command, flags, of, runner.argv)));
}

async function list<
  List extends keyof Filters,
  Flags extends ListFlags,
  Row extends { readonly id: string | number; readonly owner: string },
>(
  app: Services,
  command: Command,
  flags: Flags,
  of: ListOf<List, Flags, Row>,
  argv: readonly string[],
): Promise<0> {
  const { owner } = flags;
  const filter = { ...(await of.filter(flags, app)), ...(owner !== undefined && { owner }) };
  const call = await remoteCall(app);
  if (call !== null) {
    if (flags.follow === true) requireFolder(app.env);
    const { items, next_cursor: next } = await remoteRows<Row>(call, of.list, filter);
    if (items.length === 0) say(app.io.err, `No ${of.nouns[1]}.`);
    await printRows(app, flags, of, items);
    if (next !== null) say(app.io.err, `next page: ${nextCommand(argv, next)}`);
    return 0;
  }
  const store = app.reader();
  await requireKnown(...(of.names?.(app, flags) ?? []), ownerName(app, owner));
  if (of.find !== undefined) requireBefore(app, flags.before, of.find);
  const rows = store === null ? [] : of.rows(store, filter);
  if (flags.follow === true && of.follow !== undefined) return of.follow(app, { flags, filter, rows });
  if (rows.length === 0 && flags.json !== true) {
    const total = store === null ? 0 : of.total?.(store);
    sayNoRows(app, {
      nouns: of.nouns,
      filters: givenFilters(command),
      ...(total !== undefined && { total }),
    });
  }
  await printRows(app, flags, of, rows);
  sayNextPage(app, { list: of.list, filter, rows, argv });
  return 0;
}

/** Shown where there are owners. */
const OWNER: ListColumn<{ readonly owner: string }> = ['owner', ({ owner }) => owner];

function isOwned({ owner }: { readonly owner: string }): boolean {
  return owner !== OPERATOR;
}

async function printRows<Row extends { readonly owner: string }>(
  { io }: Services,
  { json }: JsonFlags,
  of: { readonly columns: (rows: readonly Row[]) => readonly ListColumn<Row>[] },
  rows: readonly Row[],
): Promise<void> {
  if (json === true) return printJson(io, rows);
  if (rows.length === 0) return;
  const columns = [...of.columns(rows), ...(rows.some(isOwned) ? [OWNER] : [])];
  const titles = columns.map(([column]) => column);
  const cells = rows.map((row) => columns.map(([, text]) => text(row)));
  say(io.out, await table(io.out, titles, cells));
}

/** The filter `--flow`. */
export function flowName(app: Services, flow: string | undefined): NameFilter {
  const known = () => (app.reader()?.flows({ id: flow ?? '' }) ?? []).map(({ id }) => id);
  return { noun: 'flow', value: flow, known: [known] };
}

/** The filters that were given, by option. */
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

/** Throws `not_found` when `--before` names a row that does not exist. */
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

/** The rows that were printed, and the filter that selected them. */
interface Page<List extends keyof Filters> {
  readonly list: List;
  readonly filter: Filters[List];
  readonly rows: readonly { readonly id: string | number }[];
  /** The command line as it was typed. */
  readonly argv: readonly string[];
}

/** `50 of 2,232; next page: hookctl task list --before task-…` when there are older rows. */
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
  const total = store.count(list, all as Filters[List]);
  say(app.io.err, `${counted(rows.length)} of ${counted(total)}; next page: ${nextCommand(argv, last)}`);
}

function nextCommand(argv: readonly string[], last: string | number): string {
  return commandLine('hookctl', ...without('--before', argv), '--before', String(last));
}

function without(option: string, argv: readonly string[]): readonly string[] {
  return argv.filter(
    (word, at) => word !== option && argv[at - 1] !== option && !word.startsWith(`${option}=`),
  );
}
