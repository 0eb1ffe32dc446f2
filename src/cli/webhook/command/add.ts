import { eventMatches } from '../../../conditions/event-type.ts';
import { isRemote } from '../../../config/project/locate.ts';
import { usageError } from '../../../errors.ts';
import { commandLine } from '../../../lib/shell-quote.ts';
import type { CommandView } from '../../../server/webhook-view.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { readChanged } from '../change.ts';
import { type CommandFlags, commandOptions, givenCommand } from './fields.ts';
import { commandTarget, reportCommand } from './report.ts';

interface AddFlags extends JsonFlags, CommandFlags {}

export const configureCommandAdd: CliCommand = (command, runner) => {
  commandOptions(
    command
      .description(
        'Add a command to a dynamic webhook: --trigger for an event, --text-name for what people write.',
      )
      .argument('<webhook>', 'id or name'),
  )
    .option('--json', 'print one object')
    .examples(
      `hookctl webhook command add triage --trigger issues.opened --when 'issue.labels.name=bug' --agent planning --template "Triage: {{issue.title}}"`,
      'hookctl webhook command add triage --text-name analyze --alias analysis --template-file analyze.hbs',
    )
    .action((ref: string, flags: AddFlags) =>
      runner.run(command.optsWithGlobals(), (app) => add(app, ref, flags)),
    );
};

async function add(app: Services, ref: string, flags: AddFlags): Promise<0> {
  if ((flags.trigger === undefined) === (flags.textName === undefined)) {
    throw usageError(
      'a command is started by an event or by a word that people write',
      'Give either --trigger issues.opened or --text-name analyze.',
    );
  }
  const given = await givenCommand(flags, app.cwd);
  const target = await commandTarget(app, ref);
  const command = await target.call<CommandView>({ method: 'POST', path: target.path, body: given });
  const { provider: name, command_prefix: prefix } = target.webhook;
  const samples = isRemote(app.env) ? [] : (await readChanged(app, target.webhook)).provider.samples;
  const trial =
    flags.trigger === undefined
      ? commandLine('--text', `${prefix} ${flags.textName}`)
      : samples.map(({ type }) => type).find((type) => eventMatches([flags.trigger ?? ''], type));
  return reportCommand(app, flags.json, target, {
    did: 'added',
    command,
    next: (webhookRef) =>
      trial === undefined
        ? `hookctl webhook show ${webhookRef}`
        : `hookctl trigger ${name} ${trial} --webhook ${webhookRef}`,
  });
}
