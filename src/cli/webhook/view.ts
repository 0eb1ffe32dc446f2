import type { Configuration } from '../../config/index.ts';
import { commandLine, shellQuote } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { type WebhookView, webhookViewer } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { FormField, Webhook } from '../../types.ts';
import { ownUrl } from '../kit/operate.ts';
import { wordsOf, wrapped } from '../kit/wrapped.ts';

/** Fills in the provider's web form. With `secret`, shows it in place of the command that prints it. */
export function formFields(
  { name, provider }: Webhook,
  url: string,
  secret: string | null = null,
): readonly FormField[] {
  const secretCommand = commandLine('hookctl', 'webhook', 'show', name, '--show-secret');
  const enterCommand = commandLine('hookctl', 'webhook', 'edit', name, '--secret-stdin');
  const shown = (value: string) => (secret !== null && value.includes(secretCommand) ? secret : value);
  return provider
    .formFields({ url, secretCommand, enterCommand })
    .map(({ label, value }) => ({ label, value: escapeInvisibleLine(shown(value)) }));
}

/** Makes the view of a webhook that `--json` prints, where no server does. */
export function viewer(app: Services, configuration: Configuration): (webhook: Webhook) => WebhookView {
  const records = new Map(configuration.dynamic.entries.map(({ written }) => [written.name, written]));
  return webhookViewer({
    counts: app.reader()?.countsByWebhook() ?? [],
    urlOf: (endpoint) => ownUrl(configuration) + endpoint,
    recordOf: ({ name }) => records.get(name),
  });
}

/** The provider's web form, one field on each line; with the secret when it was just generated. */
export function formLines(webhook: Webhook, url: string, secret: string | null): string {
  return formFields(webhook, url, secret)
    .flatMap(({ label, value }) => wrapped([`${label}:`, ...wordsOf(value)], '  '))
    .join('\n');
}

/** A webhook's name, quoted for a shell, for command lines to be copied. */
export function refOf({ name }: Pick<Webhook, 'name'>): string {
  return shellQuote(name);
}
