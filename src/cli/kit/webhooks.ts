import { dirname } from 'node:path';
import { type UnloadedFile, unloadedText } from '../../config/modules/files.ts';
import { notFound, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { suggestion } from '../../lib/suggest.ts';
import { PROVIDER_NAMES, providerFacts } from '../../providers/facts.ts';
import type { Services } from '../../services.ts';
import type { Provider, Snapshot, Webhook } from '../../types.ts';

/** A provider, named. */
type Named = Pick<Provider, 'name' | 'label'>;

/** A built-in provider, or one that a webhook of the project defines. Null when neither has this name. */
function findProvider(name: string, { webhooks }: Pick<Snapshot, 'webhooks'>): Named | null {
  const builtIn = providerFacts.get(name);
  if (builtIn !== undefined) return { name, label: builtIn.label };
  return webhooks.find((webhook) => webhook.providerName === name)?.provider ?? null;
}

/** Finds a built-in or project provider. Throws `usage` with a suggestion, also from `others`. */
export function requireProvider(name: string, snapshot: Snapshot, others: readonly string[] = []): Named {
  return findProvider(name, snapshot) ?? unknownProvider(name, snapshot, others);
}

function unknownProvider(name: string, { webhooks }: Snapshot, others: readonly string[]): never {
  const own = webhooks.map(({ providerName }) => providerName);
  const what = others.length === 0 ? 'provider' : 'provider or webhook';
  throw usageError(
    `there is no ${what} ${name}`,
    suggestion(name, [...new Set([...PROVIDER_NAMES, ...own, ...others])]),
  );
}

/** Finds a webhook by name, or a provider's webhook as `webhookFor` does. Throws `usage` or `not_found`. */
export function webhookOrProvider(name: string, webhook: string | undefined, snapshot: Snapshot): Webhook {
  const own =
    findProvider(name, snapshot) !== null || webhook !== undefined ? undefined : snapshot.byName.get(name);
  return own ?? webhookFor(requireProvider(name, snapshot, [...snapshot.byName.keys()]), webhook, snapshot);
}

/** A provider's webhook: the named one, the one with the provider's name, or the first. Throws `not_found`. */
export function webhookFor(
  { label, name: own }: Named,
  name: string | undefined,
  snapshot: Snapshot,
): Webhook {
  const candidates = snapshot.webhooks.filter((webhook) => webhook.providerName === own);
  const chosen =
    candidates.find((webhook) => webhook.name === (name ?? own)) ?? (name ? undefined : candidates[0]);
  if (chosen !== undefined) return chosen;
  const message = `there is no ${label} webhook ${name ?? ''}`.trim();
  const known = candidates.map((webhook) => webhook.name);
  throw notFound(
    message,
    known.length === 0
      ? `Add one: ${commandLine('hookctl', 'webhook', 'add', own, '--name', name ?? own)}`
      : suggestion(name ?? own, known),
  );
}

/** Prints the project files whose present content is not loaded, one line each. */
export function sayUnloaded(
  { io, located: { projectFile } }: Services,
  unloaded: readonly UnloadedFile[],
): void {
  const folder = projectFile === null ? null : dirname(projectFile);
  for (const file of unloaded) say(io.err, `note: ${unloadedText(file, folder)}`);
}
