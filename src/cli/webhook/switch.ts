import { removeWebhook, setEnabled } from '../../config/dynamic/edit.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { changeDb, dynamicWebhook, report } from './change.ts';
import { onWebhook, refOf } from './find.ts';
import { viewer } from './view.ts';

export const configureEnable = configureSwitch(true, 'Enable a dynamic webhook.');
export const configureDisable = configureSwitch(
  false,
  'Disable a dynamic webhook: it stays, and answers 403.',
);

function configureSwitch(enabled: boolean, description: string): CliCommand {
  return (command, runner) => {
    command
      .description(description)
      .argument('<webhook>', 'id or name')
      .option('--json', 'print one object')
      .examples(`hookctl webhook ${enabled ? 'enable' : 'disable'} triage`)
      .action(runner.action(command, (app, ref: string, flags: JsonFlags) => turn(app, ref, enabled, flags)));
  };
}

async function turn(app: Services, ref: string, enabled: boolean, { json }: JsonFlags): Promise<0> {
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

export const configureRemove: CliCommand = (command, runner) => {
  command
    .description('Remove a dynamic webhook and its commands; its deliveries and tasks stay.')
    .argument('<webhook>', 'id or name')
    .option('--json', 'print one object')
    .examples('hookctl webhook remove triage')
    .action(runner.action(command, remove));
};

async function remove(app: Services, ref: string, { json }: JsonFlags): Promise<0> {
  const { result, served } = await changeDb(app, onWebhook(ref, removeWebhook));
  const { webhook_id, name, endpoint } = result;
  return report(app, json, {
    view: { removed: { webhook_id, name, endpoint } },
    done: `removed ${name} (${webhook_id}); ${endpoint} answers 404`,
    next: 'hookctl webhook list',
    served,
  });
}
