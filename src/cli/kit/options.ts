import { InvalidArgumentError, Option } from 'commander';
import { suggest } from '../../lib/suggest.ts';
import type { SearchFilter } from '../../store/selection.ts';
import type { Command } from './command.ts';

/** A whole number from 1, for `--limit`. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

/** A whole number, negative ones too, for `--priority`. */
export function integer(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** A whole number from 0, for `--input-tokens`. */
export function count(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number from 0.');
  return value;
}

/** Dollars, for `--cost-usd`. */
export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number from 0.');
  return value;
}

/** A TCP port; 0 lets the system choose. */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('A port is 0 to 65535.');
  return value;
}

/** Collects the values of a repeatable option. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Adds the repeatable `--clear <setting>`, which resets a setting to its default. */
export function clearOption(command: Command, settings: readonly string[]): Command {
  const words = `reset to the default (repeatable): ${settings.join(', ')}`;
  return command.option('--clear <setting>', words, collectFrom(settings), []);
}

/** Options by which deliveries and tasks are searched for. */
export interface SearchFlags {
  readonly event?: string;
  readonly externalId?: string;
  readonly sender?: string;
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Adds `--event --external-id --sender --text --since --until`. */
export function searchOptions(command: Command, { text }: { readonly text: string }): Command {
  return command
    .option('--event <type>', 'only of this event type; issues.* for a group')
    .option('--external-id <id>', 'only about this issue, pull request or thread: github:acme/shop#12')
    .option('--sender <name>', 'only of this sender')
    .option('--text <words>', text)
    .option('--since <time>', 'only since: 2h, 7d, 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--until <time>', 'only until then');
}

/** The same as a filter of the store. Throws `usage` for what is no time. */
export async function searchFilter(flags: SearchFlags, now: number): Promise<SearchFilter> {
  const { since, until, ...rest } = flags;
  const { event, externalId, sender, text } = rest;
  if (since === undefined && until === undefined) return { event, externalId, sender, text };
  // Reading a time loads the schemas of units, which a list without one need not wait for.
  const { moment } = await import('./moment.ts');
  return {
    ...{ event, externalId, sender, text },
    since: since === undefined ? undefined : moment('--since', since, now),
    until: until === undefined ? undefined : moment('--until', until, now),
  };
}

/** A former name of an option; its error names the present one. */
export function renamed(flags: string, now: string): Option {
  return new Option(flags).hideHelp().argParser(() => {
    throw new InvalidArgumentError(`Did you mean ${now}?`);
  });
}

/** An option that takes one of these words; its error suggests the nearest. */
export function oneOf(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description)
    .choices([...choices])
    .argParser((value: string) => chosen(value, choices));
}

/** Collects the values of a repeatable option that takes only these words. */
export function collectFrom(
  choices: readonly string[],
): (value: string, previous: readonly string[]) => readonly string[] {
  return (value, previous) => [...previous, chosen(value, choices)];
}

function chosen(value: string, choices: readonly string[]): string {
  if (choices.includes(value)) return value;
  const near = suggest(value, choices);
  const meant = near === null ? '' : ` Did you mean ${near}?`;
  throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.${meant}`);
}
