import type { Configuration } from '../../config/index.ts';
import { notFound, usageError } from '../../errors.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Webhook } from '../../types.ts';

/**
 * The webhook that a person means: by id, by name in any case, or by the beginning of an id. Throws `usage` with the
 * candidates when several begin so, `not_found` when none does.
 */
export function findWebhook(webhooks: readonly Webhook[], ref: string): Webhook {
  const exact =
    webhooks.find((webhook) => idOf(webhook) === ref) ??
    webhooks.find(({ name }) => name.toLowerCase() === ref.toLowerCase());
  if (exact !== undefined) return exact;
  const begun = webhooks.filter((webhook) => isBegun(idOf(webhook), 'wh-', ref));
  if (begun.length === 1 && begun[0] !== undefined) return begun[0];
  if (begun.length > 1) {
    const candidates = begun.map((webhook) => `  ${idOf(webhook)}  ${webhook.name}`).join('\n');
    throw usageError(`${begun.length} webhooks begin with ${ref}:\n${candidates}`, 'Type more of the id.');
  }
  const names = webhooks.map(({ name }) => name);
  const near = suggest(ref, names);
  throw notFound(
    `there is no webhook ${ref}`,
    near === null ? `Known: ${names.slice(0, 20).join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** A reference written out, as the functions that change the db take it. Throws as `findWebhook`. */
export function fullRef({ snapshot }: Pick<Configuration, 'snapshot'>, ref: string): string {
  const webhook = findWebhook(snapshot.webhooks, ref);
  return idOf(webhook) ?? webhook.name;
}

/** Whether `ref` is more than the prefix that all ids share, and an id begins with it. */
export function isBegun(id: string | null, prefix: string, ref: string): boolean {
  return id !== null && ref.length > prefix.length && id.startsWith(ref);
}

/** How a webhook is named in a command line that is to be copied: by a name that needs no quotes, else by its id. */
export function refOf({ name, ...webhook }: Webhook): string {
  return /^[\w-]+$/.test(name) ? name : (idOf(webhook) ?? `"${name}"`);
}

function idOf({ origin }: Pick<Webhook, 'origin'>): string | null {
  return origin.kind === 'dynamic' ? origin.webhookId : null;
}
