import { isRemote } from '../../config/project/locate.ts';
import { usageError } from '../../errors.ts';
import { wrap } from '../../lib/text/wrap.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import { PROVIDER_NAMES } from '../../providers/facts.ts';
import { settingDescriptions } from '../../providers/scheme/settings.ts';
import type { WebhookView } from '../../server/webhook-view.ts';
import type { Services } from '../../services.ts';
import type { Webhook } from '../../types.ts';
import { type CliCommand, HELP_WIDTH, type JsonFlags } from '../kit/command.ts';
import { webhookCall } from '../kit/operate.ts';
import { requireProvider } from '../kit/webhooks.ts';
import { changedForm, pathOf, readChanged, report, type WebhookAnswer } from './change.ts';
import type { GivenFlags } from './field-flags.ts';
import { givenFields, type WebhookFlags, webhookOptions } from './fields.ts';
import { refOf } from './view.ts';

interface AddFlags extends JsonFlags, WebhookFlags {
  readonly from?: string;
}

export const configureAdd: CliCommand = (command, runner) => {
  webhookOptions(
    command
      .description('Add a dynamic webhook. Without a secret one is made, and shown this once.')
      .argument('[provider]', `who sends: ${PROVIDER_NAMES.join(', ')}`)
      .option(
        '--from <webhook>',
        'copy a webhook, static ones too, under an endpoint and a secret of its own',
      ),
  )
    .option('--json', 'print one object')
    .examples(
      'hookctl webhook add github --name triage',
      'hookctl webhook add github --name triage --secret-env TRIAGE_SECRET --allow-association OWNER',
      'hookctl webhook add --from github --name github-two',
      'hookctl webhook add generic --name deploys --option header=x-signature --option title=deploy.name',
      "hookctl webhook add generic --name shop --option header=x-sig --option timestamp=header:x-time --option 'signedContent={timestamp}.{body}'",
    )
    .addHelpText('after', settingsHelp)
    .action((provider: string | undefined, flags: AddFlags) =>
      runner.run(command.optsWithGlobals(), (app) => add(app, provider, flags)),
    );
};

async function add(app: Services, provider: string | undefined, flags: AddFlags): Promise<0> {
  const { call, isServed } = await webhookCall(app);
  const body = await addition(app, call, provider, flags);
  const { notes, ...added } = await call<WebhookAnswer>({ method: 'POST', path: '/api/webhooks', body });
  const ref = refOf(added);
  const form = await changedForm(app, call, added);
  const webhook = isRemote(app.env) ? null : await readChanged(app, added);
  return report(app, flags.json, {
    view: added,
    done: `added ${added.name} (${added.webhook_id})\n${form}`,
    next:
      webhook?.provider.handshakes !== undefined
        ? `hookctl webhook await ${ref}, and save it at the sender meanwhile`
        : webhook?.commands.length === 0
          ? `hookctl webhook command add ${ref} --trigger ${sampleType(webhook)} --template "{{@event.title}}"`
          : `hookctl webhook show ${ref}`,
    notes,
    isServed,
  });
}

/** The settings of `generic`; providers with a `signature` take them as well, where a sender differs from the rule. */
function settingsHelp(): string {
  const rows = settingDescriptions();
  const indent = 4 + Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.flatMap(({ name, description }) =>
    wrap(description.split(' '), HELP_WIDTH - indent).map(
      (text, index) => (index === 0 ? `  ${name}` : '').padEnd(indent) + text,
    ),
  );
  return `
Settings of generic, as --option name=value. A value is read from a header
(header:x-name) or from a path in the payload (issue.id):
${lines.join('\n')}`;
}

/** An event that the provider sends, for an example. */
function sampleType({ provider }: Webhook): string {
  return provider.samples[0]?.type ?? '*';
}

/** The new webhook as the API takes it, which is also how it shows the one that is copied. */
async function addition(
  app: Services,
  call: ApiCall,
  provider: string | undefined,
  flags: AddFlags,
): Promise<GivenFlags> {
  if (provider !== undefined && !isRemote(app.env))
    requireProvider(provider, (await app.configuration()).snapshot);
  const name = flags.name === undefined ? {} : { name: flags.name };
  const given = { ...(await givenFields(app, flags)), ...name };
  if (flags.from !== undefined) {
    if (provider !== undefined)
      throw usageError('--from brings its provider along', `Leave ${provider} out.`);
    const source = await call<WebhookView>({ method: 'GET', path: pathOf(flags.from) });
    return { ...source, enabled: true, name: `${source.name}-dynamic`, ...given };
  }
  if (provider === undefined)
    throw usageError('name a provider, or a webhook to copy', 'hookctl webhook add github --name triage');
  if (flags.name === undefined)
    throw usageError('the webhook has no name', `hookctl webhook add ${provider} --name triage`);
  return { ...given, provider };
}
