import { commandSchema } from '../../../config/schema.ts';
import { usageError } from '../../../errors.ts';
import type { CommandView } from '../../../server/webhook-view.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { clearOption } from '../../kit/options.ts';
import { clearable, type GivenFlags } from '../field-flags.ts';
import { type CommandFlags, commandOptions, givenCommand } from './fields.ts';
import { commandTarget, reportCommand } from './report.ts';

interface EditFlags extends JsonFlags, CommandFlags {
  readonly clear: readonly string[];
}

/** What `--clear` takes. */
const CLEARABLE = clearable(commandSchema.shape);

export const configureCommandEdit: CliCommand = (command, runner) => {
  clearOption(
    commandOptions(
      command
        .description('Change a command: what the options name, and nothing else.')
        .argument('<webhook>', 'id or name')
        .argument('<command>', 'id, or its name or trigger where only one has it'),
    ),
    Object.keys(CLEARABLE),
  )
    .option('--json', 'print one object')
    .examples(
      'hookctl webhook command edit triage issues.opened --priority 10',
      'hookctl webhook command edit triage cmd-01jd9x3k2a7f3kq2 --clear conditions',
    )
    .action((ref: string, commandRef: string, flags: EditFlags) =>
      runner.run(command.optsWithGlobals(), (app) => edit(app, ref, commandRef, flags)),
    );
};

async function edit(app: Services, ref: string, commandRef: string, flags: EditFlags): Promise<0> {
  const patch: GivenFlags = {
    ...(await givenCommand(flags, app.cwd)),
    ...Object.fromEntries(flags.clear.map((setting) => [CLEARABLE[setting], null])),
  };
  if (Object.keys(patch).length === 0) {
    throw usageError('nothing to change', 'Name a setting: hookctl webhook command edit --help');
  }
  const target = await commandTarget(app, ref);
  const path = `${target.path}/${encodeURIComponent(commandRef)}`;
  const command = await target.call<CommandView>({ method: 'PUT', path, body: patch });
  return reportCommand(app, flags.json, target, {
    did: 'changed',
    command,
    next: (webhookRef) => `hookctl webhook command list ${webhookRef}`,
  });
}
