import type { Change } from '../../config/dynamic/change.ts';
import type { DbCommand, DbState } from '../../config/dynamic/schema.ts';
import { notFound, usageError } from '../../errors.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Webhook } from '../../types.ts';

/** The id and name by which a person refers to a webhook. */
interface Names {
  /** Null when the webhook is static. */
  readonly id: string | null;
  readonly name: string;
}

/** Names shown in an error message, so that the rest stays on screen. */
const SHOWN = 20;

/**
 * Finds a webhook by id, by name in any case, or by a prefix of an id. Throws `usage` with the
 * candidates when several match, `not_found` when none does.
 */
export function findWebhook(webhooks: readonly Webhook[], ref: string): Webhook {
  const found = find(webhooks.map(namesOf), ref);
  return webhooks.find(({ name }) => name === found.name) as Webhook;
}

/** Makes a change of a webhook found as in `findWebhook`, in the state that is changed. */
export function onWebhook<T>(ref: string, change: (webhookRef: string) => Change<T>): Change<T> {
  return (state, context) => {
    const { id, name } = find([...dbNames(state), ...context.fixed.map(namesOf)], ref);
    return change(id ?? name)(state, context);
  };
}

/** Makes a change of a command found by id, by a prefix of an id, by name, alias or trigger. */
export function onCommand<T>(
  webhookRef: string,
  commandRef: string,
  change: (webhookRef: string, commandId: string) => Change<T>,
): Change<T> {
  return onWebhook(webhookRef, (id) => (state, context) => {
    const commands = state.webhooks.find(({ webhook_id }) => webhook_id === id)?.commands ?? [];
    return change(id, findCommand(commands, commandRef))(state, context);
  });
}

/** A webhook's name, quoted for a shell, for command lines to be copied. */
export function refOf({ name }: Pick<Webhook, 'name'>): string {
  return shellQuote(name);
}

function find(webhooks: readonly Names[], ref: string): Names {
  const exact =
    webhooks.find(({ id }) => id === ref) ??
    webhooks.find(({ name }) => name.toLowerCase() === ref.toLowerCase());
  const alike = webhooks.filter(({ id }) => isPrefixOf(id, 'wh-', ref));
  const found = exact ?? only(alike, ref, ({ id, name }) => `${id}  ${name}`);
  if (found !== null) return found;
  const names = webhooks.map(({ name }) => name);
  const near = suggest(ref, names);
  throw notFound(
    `there is no webhook ${ref}`,
    near === null ? `Known: ${names.slice(0, SHOWN).join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** The command's id; an unknown `ref` is returned as it is, and the change refuses it. */
function findCommand(commands: readonly DbCommand[], ref: string): string {
  if (commands.some(({ id }) => id === ref)) return ref;
  const alike = commands.filter(
    ({ id, name, trigger }) =>
      name?.toLowerCase() === ref.toLowerCase() || trigger === ref || isPrefixOf(id, 'cmd-', ref),
  );
  return only(alike, ref, ({ id, name, trigger }) => `${id}  ${trigger ?? name}`)?.id ?? ref;
}

/** Null when there is none. Throws `usage` when there are several. */
function only<T>(candidates: readonly T[], ref: string, line: (candidate: T) => string): T | null {
  if (candidates.length <= 1) return candidates[0] ?? null;
  const lines = candidates.slice(0, SHOWN).map((candidate) => `  ${line(candidate)}`);
  throw usageError(`${ref} matches ${candidates.length}:\n${lines.join('\n')}`, 'Name one by its whole id.');
}

/** Whether `ref` is a prefix of the id that is longer than `prefix`, which all ids share. */
function isPrefixOf(id: string | null, prefix: string, ref: string): boolean {
  return id !== null && ref.length > prefix.length && id.startsWith(ref);
}

function namesOf({ name, origin }: Webhook): Names {
  return { id: origin.kind === 'dynamic' ? origin.webhookId : null, name };
}

function dbNames({ webhooks }: DbState): readonly Names[] {
  return webhooks.map(({ webhook_id, name }) => ({ id: webhook_id, name }));
}
