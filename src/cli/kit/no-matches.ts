import { notFound } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Services } from '../../services.ts';

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
