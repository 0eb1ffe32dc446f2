import { dirname } from 'node:path';
import { type UnloadedFile, unloadedText } from '../../config/modules/files.ts';
import { notFound, usageError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { suggestion } from '../../lib/suggest.ts';
import { providersIn } from '../../providers/index.ts';
import type { Services } from '../../services.ts';
import type { Provider, Snapshot, Webhook } from '../../types.ts';

/** Finds a built-in or project provider. Throws `usage` with a suggestion, also from `others`. */
export function requireProvider(name: string, snapshot: Snapshot, others: readonly string[] = []): Provider {
  const providers = providersIn(snapshot);
  const provider = providers.find((each) => each.name === name);
  if (provider !== undefined) return provider;
  const known = [...new Set([...providers.map((each) => each.name), ...others])];
  const what = others.length === 0 ? 'provider' : 'provider or webhook';
  throw usageError(`there is no ${what} ${name}`, suggestion(name, known));
}

/** Finds a webhook by name, or a provider's webhook as `webhookFor` does. Throws `usage` or `not_found`. */
export function webhookOrProvider(name: string, webhook: string | undefined, snapshot: Snapshot): Webhook {
  const isProvider = providersIn(snapshot).some((each) => each.name === name);
  const own = isProvider || webhook !== undefined ? undefined : snapshot.byName.get(name);
  return own ?? webhookFor(requireProvider(name, snapshot, [...snapshot.byName.keys()]), webhook, snapshot);
}

/** A provider's webhook: the named one, the one with the provider's name, or the first. Throws `not_found`. */
export function webhookFor(
  { label, name: own }: Provider,
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
