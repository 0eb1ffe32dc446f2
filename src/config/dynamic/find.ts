import { failure, notFound, usageError } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Webhook } from '../../types.ts';
import type { DbCommand, DbWebhook } from './schema.ts';

/** A webhook in force, or one as the db has it. */
type Findable = Pick<Webhook, 'name' | 'origin'> | Pick<DbWebhook, 'name' | 'webhook_id'>;

/** Names shown in an error message, so that the rest stays on screen. */
const SHOWN = 20;

/**
 * Finds a webhook by id, by name in any case, or by a prefix of an id. Throws `usage` with the candidates when several
 * match, `not_found` when none does.
 */
export function findWebhook<T extends Findable>(webhooks: readonly T[], ref: string): T {
  const exact =
    webhooks.find((webhook) => idOf(webhook) === ref) ??
    webhooks.find(({ name }) => name.toLowerCase() === ref.toLowerCase());
  const alike = webhooks.filter((webhook) => isPrefixOf(idOf(webhook), 'wh-', ref));
  const found = exact ?? only(alike, ref, (webhook) => [idOf(webhook) ?? '', webhook.name]);
  if (found !== null) return found;
  const names = webhooks.map(({ name }) => name);
  const near = suggest(ref, names);
  throw notFound(
    `there is no webhook ${ref}`,
    near === null ? `Known: ${names.slice(0, SHOWN).join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** Finds a dynamic webhook in force by its whole id. Throws `changed_since` when it was removed in the meantime. */
export function dynamicWebhook(webhooks: readonly Webhook[], id: string): Webhook {
  const found = webhooks.find((webhook) => idOf(webhook) === id);
  if (found === undefined) throw removedSince(id);
  return found;
}

export function removedSince(id: string): Error {
  return failure('changed_since', `${id} was removed by someone else at the same moment`);
}

/**
 * Finds a command by id, by a prefix of an id, or by a name or trigger. Throws `usage` with the candidates when several
 * match, `not_found` when none does.
 */
export function findCommand<T extends Pick<DbCommand, 'id' | 'name' | 'trigger'>>(
  { name: webhook, commands }: { readonly name: string; readonly commands: readonly T[] },
  ref: string,
): T {
  const exact = commands.find(({ id }) => id === ref);
  const alike = commands.filter(
    ({ id, name, trigger }) =>
      name?.toLowerCase() === ref.toLowerCase() || trigger === ref || isPrefixOf(id, 'cmd-', ref),
  );
  const found = exact ?? only(alike, ref, ({ id, name, trigger }) => [id, trigger ?? name ?? '']);
  if (found !== null) return found;
  throw notFound(
    `${webhook} has no command ${ref}`,
    `List them: ${commandLine('hookctl', 'webhook', 'command', 'list', webhook)}`,
  );
}

/** Null when none matches. Throws `usage` when several do. */
function only<T>(
  candidates: readonly T[],
  ref: string,
  wordsOf: (candidate: T) => readonly [id: string, name: string],
): T | null {
  const [first, second] = candidates;
  if (first === undefined || second === undefined) return first ?? null;
  const lines = candidates.slice(0, SHOWN).map((candidate) => `  ${wordsOf(candidate).join('  ')}`);
  const fix = `Name one by its whole id, such as ${wordsOf(first)[0]}.`;
  throw usageError(`${ref} matches ${candidates.length}:\n${lines.join('\n')}`, fix);
}

/** Whether `ref` is a prefix of the id that is longer than `prefix`, which all ids share. */
function isPrefixOf(id: string | null, prefix: string, ref: string): boolean {
  return id !== null && ref.length > prefix.length && id.startsWith(ref);
}

/** Null for a static webhook. */
function idOf(webhook: Findable): string | null {
  if ('webhook_id' in webhook) return webhook.webhook_id;
  return webhook.origin.kind === 'dynamic' ? webhook.origin.webhookId : null;
}
