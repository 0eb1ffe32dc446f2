import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Services } from '../../services.ts';
import type { StoreReader } from '../../store/store.ts';
import { served } from './operate.ts';

/** The store, for a command that names something in it. Throws `not_found` when the folder holds no store yet. */
export function storedReader(app: Services, id: string): StoreReader {
  const reader = app.reader();
  if (reader !== null) return reader;
  throw notFound(
    `there is no ${id}: nothing is stored in ${app.located.dataFolder}`,
    'Start with `hookctl serve`.',
  );
}

/** What a command names by its id, with the store that holds it. Throws `not_found`. */
export function stored<T>(
  app: Services,
  noun: 'delivery' | 'task' | 'flow' | 'conversation',
  id: string,
  find: (store: StoreReader) => T | null | undefined,
): { readonly store: StoreReader; readonly found: T } {
  const store = storedReader(app, id);
  const found = find(store);
  if (found != null) return { store, found };
  throw notFound(
    `there is no ${noun} ${id} in ${app.located.dataFolder}`,
    `List them with \`hookctl ${noun} list\`.`,
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

type NameSource = () => readonly string[] | Promise<readonly string[]>;

/** A name by which a list is filtered. */
export interface NameFilter {
  /** What it is the name of: `webhook`. */
  readonly noun: string;
  readonly value: string | undefined;
  /** Every name that there is, from the cheapest source on: the next one is asked only for a name that is in none. */
  readonly known: readonly NameSource[];
}

/** A filter that names nothing must not read as an empty list. Throws `not_found` with what was meant. */
export async function requireKnown(...filters: readonly NameFilter[]): Promise<void> {
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

/** Sources of the names of webhooks: those that received something, then those that are configured. */
export function webhookNames(app: Services): readonly NameSource[] {
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
export function agentNames(app: Services): readonly NameSource[] {
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
