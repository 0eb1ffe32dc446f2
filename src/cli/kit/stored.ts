import { failure, notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Services } from '../../services.ts';
import type { StoreReader } from '../../store/store.ts';
import { OPERATOR } from '../../types/webhook.ts';
import { served } from './operate.ts';
import { remoteView } from './remote.ts';

/** The store, for a command that needs a record in it. Throws `not_found` when there is no store yet. */
export function storedReader(app: Services, id: string): StoreReader {
  const reader = app.reader();
  if (reader !== null) return reader;
  throw notFound(
    `there is no ${id}: nothing is stored in ${app.located.dataFolder}`,
    'Start with `hookctl serve`.',
  );
}

/** Finds the record that a command names. Throws `not_found`. */
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

/**
 * What a command shows of the record that it names: from the store, or with a token of an owner from the server, which shows the
 * same. Throws `not_found`.
 */
export async function shownView<T, View>(
  app: Services,
  noun: 'delivery' | 'task' | 'flow' | 'conversation',
  id: string,
  of: {
    readonly find: (store: StoreReader) => T | null | undefined;
    readonly view: (store: StoreReader, found: T) => View;
  },
): Promise<View> {
  const list = noun === 'delivery' ? 'deliveries' : `${noun}s`;
  const remote = await remoteView<View>(app, `${list}/${encodeURIComponent(id)}`);
  if (remote !== null) return remote;
  const { store, found } = stored(app, noun, id, of.find);
  return of.view(store, found);
}

/** Names shown in an error message, so that the rest stays on screen. */
const NAMES_SHOWN = 20;

/** Why a list has no rows. */
interface NoRows {
  /** Singular and plural: `task`, `tasks`. */
  readonly nouns: readonly [one: string, several: string];
  /** Options and their values; undefined for an option that was not given. */
  readonly filters: Readonly<Record<string, string | undefined>>;
  /** Number of rows without filters; left out when counting is slow. */
  readonly total?: number;
}

/** `No tasks match --flow nope (3 tasks in …)`: an empty result must not look like an empty store. */
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
  /** What the name belongs to: `webhook`. */
  readonly noun: string;
  readonly value: string | undefined;
  /** Sources of all names, the fastest first; the next is read only for a name that was not found. */
  readonly known: readonly NameSource[];
}

/** Throws `not_found` with a suggestion when a filter names something unknown. */
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

/** Names of webhooks: from the deliveries, then from the configuration. */
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

/** The filter `--owner`: owners of what is stored, of webhooks, and those of webhooks.yml. */
export function ownerName(app: Services, owner: string | undefined): NameFilter {
  const known = [
    () => [OPERATOR, ...(app.reader()?.countsByOwner() ?? []).map((counts) => counts.owner)],
    async () => {
      const status = await served(app).catch(() => null);
      if (status !== null) return status.webhooks.map((webhook) => webhook.owner);
      return (await app.configuration()).snapshot.webhooks.map((webhook) => webhook.owner);
    },
  ];
  return { noun: 'owner', value: owner, known };
}

/** Names of agents: from the tasks, then from the configuration. */
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

/** Throws `store_shared` for a command that copies or replaces a data folder, where the store is a database that others use, too. */
export function requireLocalStore({ database }: Services, command: string): void {
  if (database === null) return;
  throw failure(
    'store_shared',
    `The store is in ${database.shown}; \`hookctl ${command}\` is for a data folder`,
    {
      fix: `Use PostgreSQL's own tools: pg_dump --schema=${database.schema} "$DATABASE_URL" > hookctl.sql, and psql to read it back.`,
    },
  );
}
