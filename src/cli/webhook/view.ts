import type { Configuration } from '../../config/index.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { formFields, type WebhookView, webhookViewer } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { FormField, Webhook } from '../../types.ts';
import { ownUrl } from '../kit/operate.ts';
import { wordsOf, wrapped } from '../kit/wrapped.ts';

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
  return shownForm(formFields(webhook, url, secret));
}

/** The same as the server fills it in. */
export function shownForm(fields: readonly FormField[]): string {
  return fields.flatMap(({ label, value }) => wrapped([`${label}:`, ...wordsOf(value)], '  ')).join('\n');
}

/** A webhook's name, quoted for a shell, for command lines to be copied. */
export function refOf({ name }: Pick<Webhook, 'name'>): string {
  return shellQuote(name);
}
