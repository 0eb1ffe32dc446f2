import { dynamicWebhook } from '../../config/dynamic/find.ts';
import { isRemote } from '../../config/project/locate.ts';
import { commandsOut, paint, say } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { Page } from '../../server/api/route.ts';
import type { WebhookView } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { FormField, Webhook } from '../../types.ts';
import { printJson, warn } from '../kit/print.ts';
import { formLines, shownForm } from './view.ts';

/** What the API answers to a change of a webhook. */
export interface WebhookAnswer extends WebhookView {
  /** Always set: only dynamic webhooks can be changed. */
  readonly webhook_id: string;
  /** Likely mistakes in what was changed. */
  readonly notes?: readonly string[];
  /** Made for this request. */
  readonly secret?: string;
}

/** The path of a webhook in the API. */
export function pathOf(ref: string): `/api/webhooks/${string}` {
  return `/api/webhooks/${encodeURIComponent(ref)}`;
}

/** The webhook that was changed, as this process reads it. Lets its new secret be printed. */
export async function readChanged(
  app: Services,
  { webhook_id: id, secret }: WebhookAnswer,
): Promise<Webhook> {
  const { snapshot } = await app.configuration();
  if (secret !== undefined) app.redactor.reveal(secret);
  return dynamicWebhook(snapshot.webhooks, id);
}

/** The provider's form for a webhook that was changed, with the secret that was made for it. Lets that secret be printed. */
export async function changedForm(app: Services, call: ApiCall, answer: WebhookAnswer): Promise<string> {
  const { url, name, secret } = answer;
  if (!isRemote(app.env)) return formLines(await readChanged(app, answer), url, secret ?? null);
  if (secret !== undefined) app.redactor.reveal(secret);
  const { items } = await call<Page<FormField>>({ method: 'GET', path: `${pathOf(name)}/form` });
  return shownForm(secret === undefined ? items : [...items, { label: 'The secret', value: secret }]);
}

/** What a command prints after a change. */
interface Report {
  /** For `--json`. */
  readonly view: object;
  /** One or several lines that say what was changed. */
  readonly done: string;
  /** The next useful command. */
  readonly next: string;
  /** Likely mistakes in what was changed. */
  readonly notes?: readonly string[] | undefined;
  /** Whether a server runs, which has the change in force. */
  readonly isServed: boolean;
}

export function report(
  { io }: Services,
  json: boolean | undefined,
  { view, done, next, notes = [], isServed }: Report,
): 0 {
  for (const note of notes) warn(io, `note: ${escapeInvisibleLine(note)}`);
  if (json === true) printJson(io, view);
  else {
    say(commandsOut(io), done);
    if (!isServed) say(io.err, paint(io.err, 'dim', 'No server runs; the change applies when one starts.'));
    say(io.err, `Next: ${next}`);
  }
  return 0;
}
