import type { Configuration } from '../../config/index.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { StatusView } from '../../server/status.ts';
import { type WebhookView, webhookViewer } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { FormField, Webhook } from '../../types.ts';

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

/** The configuration, and the state of the server that runs it; null when none runs. */
export interface Surroundings {
  readonly configuration: Configuration;
  readonly served: StatusView | null;
}

/** Makes the view of a webhook that `--json` prints. */
export function viewer(app: Services, surroundings: Surroundings): (webhook: Webhook) => WebhookView {
  const { entries } = surroundings.configuration.dynamic;
  const records = new Map(entries.map(({ written }) => [written.name, written]));
  return webhookViewer({
    counts: app.reader()?.countsByWebhook() ?? [],
    urlOf: urlsOf(surroundings),
    recordOf: ({ name }) => records.get(name),
  });
}

/** The provider's web form, one field on each line; with the secret when it was just generated. */
export function formLines(surroundings: Surroundings, webhook: Webhook, secret: string | null): string {
  return formFields(webhook, urlsOf(surroundings)(webhook.endpoint), secret)
    .map(({ label, value }) => `  ${label}: ${value}`)
    .join('\n');
}

/** The public URL of an endpoint: from the running server, otherwise from the configuration. */
function urlsOf({ configuration: { project }, served }: Surroundings): (endpoint: string) => string {
  const { host, port } = project.ingress;
  const base = project.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const known = new Map(served?.webhooks.map(({ endpoint, url }) => [endpoint, url]));
  return (endpoint) => known.get(endpoint) ?? base + endpoint;
}
