import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Services } from '../../services.ts';
import type { Filters } from '../../store/store.ts';
import { counted } from './print.ts';

/** A page of a list that may have been cut. */
interface Page<List extends keyof Filters> {
  readonly list: List;
  readonly filter: Filters[List];
  /** How many rows the page has, and the id of its last one. */
  readonly shown: number;
  readonly last: string | number | undefined;
  /** The command line as it was typed. */
  readonly argv: readonly string[];
}

/** `50 of 2,232; next page: hookctl task list --before task-…` when there are older rows than the page has. */
export function sayNextPage<List extends keyof Filters>(app: Services, page: Page<List>): void {
  const { list, filter, shown, last, argv } = page;
  const reader = app.reader();
  if (reader === null || last === undefined || shown < (filter.limit ?? 0)) return;
  const older = { ...filter, before: last } as Filters[List];
  if (reader.count(list, older) === 0) return;
  const { before, ...all } = filter;
  const next = commandLine('hookctl', ...without('--before', argv), '--before', String(last));
  say(
    app.io.err,
    `${counted(shown)} of ${counted(reader.count(list, all as Filters[List]))}; next page: ${next}`,
  );
}

function without(option: string, argv: readonly string[]): readonly string[] {
  return argv.filter(
    (word, at) => word !== option && argv[at - 1] !== option && !word.startsWith(`${option}=`),
  );
}
