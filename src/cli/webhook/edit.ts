import { type Change, findWebhook as findInDb } from '../../config/dynamic/change.ts';
import { type Updated, updateWebhook } from '../../config/dynamic/edit.ts';
import { lintWebhooks } from '../../config/lint.ts';
import { adjustmentSchema } from '../../config/schema.ts';
import { usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { clearOption } from '../kit/options.ts';
import { changeDb, dynamicWebhook, report } from './change.ts';
import { clearable, type GivenFlags } from './field-flags.ts';
import { givenFields, type WebhookFlags, webhookOptions } from './fields.ts';
import { onWebhook, refOf } from './find.ts';
import { viewer } from './view.ts';

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
  const changed = await changeDb(
    app,
    onWebhook(ref, (id) => editing(id, patch)),
  );
  const webhook = dynamicWebhook(changed, changed.result.webhook.webhook_id);
  return report(app, flags.json, {
    view: viewer(app, changed)(webhook),
    done: `changed ${webhook.name} (${changed.result.webhook.webhook_id}): ${fields.join(', ')}`,
    next: `hookctl webhook show ${refOf(webhook)}`,
    served: changed.served,
    warnings: lintWebhooks([webhook]),
  });
}

/** `--allow-user` alone must not take away who is allowed by association, nor one `--option` the other settings. */
function editing(ref: string, patch: GivenFlags): Change<Updated> {
  return (state, context) => {
    const { allow, options } = findInDb(state, ref, context.fixed);
    const merged = {
      ...patch,
      ...(isJsonObject(patch.allow) && { allow: { ...allow, ...patch.allow } }),
      ...(isJsonObject(patch.options) && { options: { ...options, ...patch.options } }),
    };
    return updateWebhook(ref, merged)(state, context);
  };
}
