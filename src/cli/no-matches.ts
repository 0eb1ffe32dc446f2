import type { App } from '../app.ts';
import { notFound } from '../errors.ts';
import { say } from '../lib/io.ts';

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
export function sayNoRows({ io, located }: App, { nouns: [one, several], filters, total }: NoRows): void {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  if (given.length === 0 || total === 0) {
    say(io.err, `No ${several} in ${located.dataFolder}.`);
    return;
  }
  const words = given.map(([option, value]) => `${option} ${value}`).join(' ');
  const all = total === undefined ? '' : `${total} ${total === 1 ? one : several} `;
  say(io.err, `No ${several} match ${words} (${all}in ${located.dataFolder}).`);
}

/** What stands before an id that does not exist is no page. Throws `not_found`. */
export function requireBefore(
  { located }: App,
  before: string | undefined,
  find: (id: string) => object | null | undefined,
): void {
  if (before === undefined || find(before)) return;
  throw notFound(
    `there is no ${before} in ${located.dataFolder}`,
    'Give --before the last id of the page before.',
  );
}
