import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Services } from '../../services.ts';
import type { Filters } from '../../store/store.ts';
import { served } from './operate.ts';
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

/** Names in an error message; more would scroll the rest away. */
const NAMES_SHOWN = 20;

/** Why a list has no rows. */
interface NoRows {
  /** One of what is listed, and several: `task`, `tasks`. */
  readonly nouns: readonly [one: string, several: string];
  /** The filters by their options, with what the user gave; those that were left out are undefined. */
  readonly filters: Readonly<Record<string, string | undefined>>;
  /** How many there are without any filter, where that is cheap to know. */
  readonly total?: number;
}

/** `No tasks match --flow nope (3 tasks in …)`: a filter that fits nothing must not read as an empty store. */
export function sayNoRows(
  { io, located }: Services,
  { nouns: [one, several], filters, total }: NoRows,
): void {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  if (given.length === 0 || total === 0) {
    say(io.err, `No ${several} in ${located.dataFolder}.`);
    return;
  }
  const words = given.map(([option, value]) => `${option} ${value}`).join(' ');
  const all = total === undefined ? '' : `${total} ${total === 1 ? one : several} `;
  say(io.err, `No ${several} match ${words} (${all}in ${located.dataFolder}).`);
}

/** A name by which a list is filtered. */
interface Filtered {
  /** What it is the name of: `webhook`. */
  readonly noun: string;
  readonly value: string | undefined;
  /** Every name that there is, from the cheapest source on: the next one is asked only for a name that is in none. */
  readonly known: readonly (() => readonly string[] | Promise<readonly string[]>)[];
}

/** A filter that names nothing must not read as an empty list. Throws `not_found` with what was meant. */
export async function requireKnown(...filters: readonly Filtered[]): Promise<void> {
  for (const { noun, value, known } of filters) {
    if (value === undefined) continue;
    const names = new Set<string>();
    for (const source of known) {
      for (const name of await source()) names.add(name);
      if (names.has(value)) break;
    }
    if (names.has(value)) continue;
    const message = `there is no ${noun} ${value}`;
    const near = suggest(value, [...names]);
    const some = [...names].slice(0, NAMES_SHOWN).join(', ');
    throw notFound(
      message,
      near !== null ? `Did you mean ${near}?` : some === '' ? undefined : `Known: ${some}.`,
    );
  }
}

/** What stands before an id that does not exist is no page. Throws `not_found`. */
export function requireBefore(
  { located }: Services,
  before: string | undefined,
  find: (id: string) => object | null | undefined,
): void {
  if (before === undefined || find(before)) return;
  throw notFound(
    `there is no ${before} in ${located.dataFolder}`,
    'Give --before the last id of the page before.',
  );
}

/** Sources of the names of webhooks: those that received something, then those that are configured. */
export function webhookNames(
  app: Services,
): readonly (() => readonly string[] | Promise<readonly string[]>)[] {
  return [
    () => (app.reader()?.countsByWebhook() ?? []).map(({ webhook }) => webhook),
    async () => {
      const status = await served(app).catch(() => null);
      if (status !== null) return status.webhooks.map(({ name }) => name);
      return (await app.configuration()).snapshot.webhooks.map(({ name }) => name);
    },
  ];
}

/** Sources of the names of agents: those that have tasks, then those that are configured. */
export function agentNames(app: Services): readonly (() => readonly string[] | Promise<readonly string[]>)[] {
  return [
    () => app.reader()?.agentNames() ?? [],
    async () => {
      const { project, snapshot } = await app.configuration();
      const named = snapshot.webhooks.flatMap(({ targetAgent, commands }) => [
        targetAgent,
        ...commands.map((command) => command.targetAgent),
      ]);
      return [...Object.keys(project.agents), ...named];
    },
  ];
}
