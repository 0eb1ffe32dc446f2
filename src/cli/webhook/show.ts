import { findWebhook } from '../../config/dynamic/find.ts';
import { failure } from '../../errors.ts';
import { commandsOut, type Io, say } from '../../lib/io.ts';
import type { Page } from '../../server/api/route.ts';
import type { WebhookView } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { FormField } from '../../types.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { serverClient } from '../kit/operate.ts';
import { printJson, sayFacts, webhookState } from '../kit/print.ts';
import { remoteView } from '../kit/remote.ts';
import { sayUnloaded } from '../kit/webhooks.ts';
import { commandTable } from './command/list.ts';
import { formLines, shownForm, viewer } from './view.ts';

interface ShowFlags extends JsonFlags {
  readonly showSecret?: boolean;
}

export const configureShow: CliCommand = (command, runner) => {
  command
    .description('Show a webhook: where it is defined, who may use it, and its commands.')
    .argument('<webhook>', 'id or name')
    .option('--show-secret', 'print only the secret, to paste it into the provider’s form')
    .option('--json', 'print one object')
    .examples('hookctl webhook show github', 'hookctl webhook show github --show-secret')
    .action(runner.action(command, show));
};

async function show(app: Services, ref: string, flags: ShowFlags): Promise<0> {
  const { io } = app;
  const remote = flags.showSecret === true ? null : await remoteWebhook(app, ref);
  if (remote !== null) return print(io, remote.view, remote.form, flags);
  const configuration = await app.configuration({ createMissing: flags.showSecret === true });
  const client = await serverClient(app);
  // First, because it explains why a webhook may be missing.
  sayUnloaded(app, (await client?.status())?.not_loaded ?? configuration.unloaded);
  const webhook = findWebhook(configuration.snapshot.webhooks, ref);
  if (flags.showSecret === true) {
    const secret = webhook.secrets[0];
    if (secret === undefined)
      throw failure('no_secret', `${webhook.name} has no secret: ${webhook.secretSource}`);
    const value = secret.value.reveal();
    app.redactor.reveal(value);
    if (flags.json === true) printJson(io, { webhook: webhook.name, secret: value });
    else say(io.out, value);
    return 0;
  }
  // The server's view comes first: it may run with other variables and older files.
  const has = (await client?.webhooks())?.find(({ name }) => name === webhook.name);
  if (client !== null && has === undefined) {
    say(io.err, `note: the running server does not have ${webhook.name}: restart \`hookctl serve\``);
  }
  const view = has ?? viewer(app, configuration)(webhook);
  const form = `${webhook.provider.label}’s form:\n${formLines(webhook, view.url, null)}`;
  return print(io, view, form, flags);
}

/** The webhook and its form as the server has them; null without a token of an owner. */
async function remoteWebhook(app: Services, ref: string) {
  const view = await remoteView<WebhookView>(app, `webhooks/${encodeURIComponent(ref)}`);
  if (view === null) return null;
  const form = await remoteView<Page<FormField>>(app, `webhooks/${encodeURIComponent(view.name)}/form`);
  return { view, form: `Form of ${view.provider}:\n${shownForm(form?.items ?? [])}` };
}

async function print(io: Io, view: WebhookView, form: string, { json }: JsonFlags): Promise<0> {
  if (json === true) {
    printJson(io, view);
    return 0;
  }
  const place = view.file === null ? view.origin : `${view.file}${view.line === null ? '' : `:${view.line}`}`;
  sayFacts(io.out, [
    ['webhook', view.name],
    ['provider', view.provider],
    ['id', view.webhook_id],
    ['owner', view.owner],
    ['labels', view.labels.join(', ') || null],
    ['url', view.url],
    ['defined in', place],
    ['state', webhookState(view.enabled, view.has_secret)],
    ['mode', view.mode === 'shadow' ? 'shadow: it records what it would do, and does nothing' : null],
    ['variants', view.variants.map(({ name }) => String(name)).join(', ') || null],
    ['secret', view.secret_source],
    ['prefix', view.require_prefix ? view.command_prefix : `${view.command_prefix}, not required`],
    ['default', view.default_command],
    ['allowed', [...view.allow.associations, ...view.allow.users, ...view.allow.apps].join(', ') || 'none'],
    ['options', Object.keys(view.options).length === 0 ? null : JSON.stringify(view.options)],
    ['deliveries', String(view.total)],
  ]);
  say(commandsOut(io), `\n${form}`);
  if (view.commands.length > 0) say(io.out, `\n${await commandTable(io.out, view.commands)}`);
  return 0;
}
