import type { App } from '../../app.ts';
import type { Configuration } from '../../config/index.ts';
import { providerNamed } from '../../providers/index.ts';
import { recordsOf, type WebhookView, webhookViewer } from '../../server/webhook-view.ts';
import type { Webhook } from '../../types.ts';
import { facts } from '../print.ts';
import { refOf } from './find.ts';

/** Where senders reach the webhooks: at the running server, else as it is configured. */
export function baseUrl(app: App, { project }: Configuration): string {
  const server = app.holder()?.server ?? null;
  const host = server?.ingressHost ?? project.ingress.host;
  const port = server?.ingressPort ?? project.ingress.port;
  const publicUrl = server === null ? project.publicUrl : server.publicUrl;
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** How `--json` gives a webhook. */
export function viewer(app: App, configuration: Configuration): (webhook: Webhook) => WebhookView {
  return webhookViewer({
    counts: app.reader()?.countsByWebhook() ?? [],
    base: baseUrl(app, configuration),
    records: recordsOf(configuration.parts.dynamic),
  });
}

/** The provider's web form, filled in; with the secret itself where it was made just now. */
export function formFields(base: string, webhook: Webhook, secret: string | null): string {
  const secretCommand = `hookctl webhook show ${refOf(webhook)} --show-secret`;
  const url = base + webhook.endpoint;
  const fields = providerNamed(webhook.provider)?.formFields({ url, secretCommand }) ?? [];
  const withSecret = (value: string) =>
    secret !== null && value.includes(secretCommand) ? secret : value;
  return facts(fields.map(({ label, value }) => [`  ${label}`, withSecret(value)] as const));
}
