import { givenCommand, shownFields } from '../config/dynamic/mapping.ts';
import type { DbWebhook } from '../config/dynamic/schema.ts';
import { commandLine } from '../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { WebhookCounts } from '../store/store.ts';
import type { FormField, Webhook, WebhookCommand } from '../types.ts';
import { isoOrNull } from '../views.ts';

/** What a view of webhooks needs beside them. */
interface WebhookFacts {
  readonly counts: readonly WebhookCounts[];
  /** Where senders reach an endpoint. */
  readonly urlOf: (endpoint: string) => string;
  /** Its record in the JSON db; undefined for a static one. */
  readonly recordOf: (webhook: Webhook) => DbWebhook | undefined;
}

export type WebhookView = ReturnType<typeof webhookView>;

/** How the API and `--json` give a webhook: never its secrets. */
export function webhookViewer({ counts, urlOf, recordOf }: WebhookFacts): (webhook: Webhook) => WebhookView {
  const countsByName = new Map(counts.map((row) => [row.webhook, row]));
  return (webhook) =>
    webhookView(webhook, {
      counts: countsByName.get(webhook.name),
      record: recordOf(webhook),
      url: urlOf(webhook.endpoint),
    });
}

interface OneWebhook {
  readonly counts: WebhookCounts | undefined;
  /** Undefined for a static one. */
  readonly record: DbWebhook | undefined;
  readonly url: string;
}

function webhookView(webhook: Webhook, { counts, record, url }: OneWebhook) {
  const { origin } = webhook;
  return {
    webhook_id: origin.kind === 'dynamic' ? origin.webhookId : null,
    ...shownFields(webhook),
    url,
    origin: origin.kind,
    file: origin.kind === 'static' ? origin.file : null,
    line: origin.kind === 'static' ? origin.line : null,
    has_secret: webhook.secrets.length > 0,
    secret_source: webhook.secretSource,
    commands: webhook.commands.map(commandView),
    created_at: record?.created_at ?? null,
    updated_at: record?.updated_at ?? null,
    deliveries: counts?.byStatus ?? {},
    total: counts?.total ?? 0,
    last_delivery_id: counts?.lastDeliveryId ?? null,
    last_received_at: isoOrNull(counts?.lastReceivedAt ?? null),
  };
}

export type CommandView = ReturnType<typeof commandView>;

/** A command as the API and `--json` give it. */
export function commandView(command: WebhookCommand) {
  return { id: command.id, ...givenCommand(command) };
}

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
