import { adjustmentSchema } from '../../config/schema.ts';
import { usageError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { webhookCall } from '../kit/operate.ts';
import { clearOption } from '../kit/options.ts';
import { pathOf, report, type WebhookAnswer } from './change.ts';
import { clearable, type GivenFlags } from './field-flags.ts';
import { givenFields, type WebhookFlags, webhookOptions } from './fields.ts';
import { refOf } from './view.ts';

interface EditFlags extends JsonFlags, WebhookFlags {
  readonly clear: readonly string[];
}

/** What `--clear` takes. */
const CLEARABLE = clearable(adjustmentSchema.shape);

export const configureEdit: CliCommand = (command, runner) => {
  clearOption(
    webhookOptions(
      command
        .description('Change a dynamic webhook: what the options name, and nothing else.')
        .argument('<webhook>', 'id or name'),
    ),
    Object.keys(CLEARABLE),
  )
    .option('--json', 'print one object')
    .examples(
      'hookctl webhook edit triage --agent planning --allow-user 583231',
      'hookctl webhook edit triage --clear default-command',
      'hookctl webhook edit deploys --option tolerance=60',
    )
    .action((ref: string, flags: EditFlags) =>
      runner.run(command.optsWithGlobals(), (app) => edit(app, ref, flags)),
    );
};

async function edit(app: Services, ref: string, flags: EditFlags): Promise<0> {
  const patch: GivenFlags = {
    ...(await givenFields(app, flags)),
    ...(flags.name !== undefined && { name: flags.name }),
    ...Object.fromEntries(flags.clear.map((setting) => [CLEARABLE[setting], null])),
  };
  const fields = Object.keys(patch);
  if (fields.length === 0)
    throw usageError('nothing to change', 'Name a setting: hookctl webhook edit --help');
  const { call, isServed } = await webhookCall(app);
  // Merged, so that `--allow-user` keeps who is allowed by association, and one `--option` the other settings.
  const { notes, ...view } = await call<WebhookAnswer>({ method: 'PATCH', path: pathOf(ref), body: patch });
  return report(app, flags.json, {
    view,
    done: `changed ${view.name} (${view.webhook_id}): ${fields.join(', ')}`,
    next: `hookctl webhook show ${refOf(view)}`,
    notes,
    isServed,
  });
}
