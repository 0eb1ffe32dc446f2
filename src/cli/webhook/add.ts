import type { Change } from '../../config/dynamic/change.ts';
import { type Added, addFrom, addWebhook } from '../../config/dynamic/edit.ts';
import { lintWebhooks } from '../../config/lint.ts';
import { usageError } from '../../errors.ts';
import { wrap } from '../../lib/text/wrap.ts';
import { PROVIDER_NAMES } from '../../providers/names.ts';
import { settingDescriptions } from '../../providers/scheme/settings.ts';
import type { Services } from '../../services.ts';
import type { Webhook } from '../../types.ts';
import { type CliCommand, HELP_WIDTH, type JsonFlags } from '../kit/command.ts';
import { requireProvider } from '../kit/webhooks.ts';
import { changeDb, dynamicWebhook, report } from './change.ts';
import { givenFields, type WebhookFlags, webhookOptions } from './fields.ts';
import { findWebhook, refOf } from './find.ts';
import { formLines, viewer } from './view.ts';

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
  const changed = await changeDb(app, await addition(app, provider, flags));
  const webhook = dynamicWebhook(changed, changed.result.webhook.webhook_id);
  const secret = changed.result.generatedSecret;
  if (secret !== null) app.redactor.reveal(secret);
  const ref = refOf(webhook);
  return report(app, flags.json, {
    view: { ...viewer(app, changed)(webhook), ...(secret !== null && { secret }) },
    done: `added ${webhook.name} (${changed.result.webhook.webhook_id})\n${formLines(changed, webhook, secret)}`,
    next:
      webhook.commands.length === 0
        ? `hookctl webhook command add ${ref} --trigger ${sampleType(webhook)} --template "{{@event.title}}"`
        : `hookctl webhook show ${ref}`,
    served: changed.served,
    warnings: lintWebhooks([webhook]),
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

async function addition(
  app: Services,
  provider: string | undefined,
  flags: AddFlags,
): Promise<Change<Added>> {
  if (provider !== undefined) requireProvider(provider, (await app.configuration()).snapshot);
  const name = flags.name === undefined ? {} : { name: flags.name };
  const given = { ...(await givenFields(app, flags)), ...name };
  if (flags.from !== undefined) {
    if (provider !== undefined)
      throw usageError('--from brings its provider along', `Leave ${provider} out.`);
    const { snapshot } = await app.configuration();
    return addFrom(findWebhook(snapshot.webhooks, flags.from), given);
  }
  if (provider === undefined)
    throw usageError('name a provider, or a webhook to copy', 'hookctl webhook add github --name triage');
  if (flags.name === undefined)
    throw usageError('the webhook has no name', `hookctl webhook add ${provider} --name triage`);
  return addWebhook({ ...given, provider });
}
