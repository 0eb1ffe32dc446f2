import type { Command } from 'commander';
import { setEnabled } from '../../config/dynamic/edit.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { changeDb, dynamicWebhook, report } from './change.ts';
import { onWebhook, refOf } from './find.ts';
import { viewer } from './view.ts';

interface SwitchFlags extends ServiceFlags {
  readonly json?: boolean;
}

/** What `enable` and `disable` have in common. */
export function configureSwitch(command: Command, runner: Runner, enabled: boolean): void {
  command
    .argument('<webhook>', 'id or name')
    .option('--json', 'print one object')
    .addHelpText('after', examples(`hookctl webhook ${enabled ? 'enable' : 'disable'} triage`))
    .action((ref: string, flags: SwitchFlags) =>
      runner.run(command.optsWithGlobals(), (app) => turn(app, ref, enabled, flags)),
    );
}

async function turn(app: Services, ref: string, enabled: boolean, { json }: SwitchFlags): Promise<0> {
  const changed = await changeDb(
    app,
    onWebhook(ref, (id) => setEnabled(id, enabled)),
  );
  const webhook = dynamicWebhook(changed, changed.result.webhook.webhook_id);
  const word = enabled ? 'enabled' : 'disabled';
  const was = changed.result.previous.enabled === changed.result.webhook.enabled ? 'was' : 'is now';
  return report(app, json, {
    view: viewer(app, changed)(webhook),
    done: `${webhook.name} (${changed.result.webhook.webhook_id}) ${was} ${word}`,
    next: enabled ? `hookctl webhook show ${refOf(webhook)}` : `hookctl webhook enable ${refOf(webhook)}`,
    served: changed.served,
  });
}
