import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { webhookCall } from '../kit/operate.ts';
import { pathOf, report, type WebhookAnswer } from './change.ts';
import { refOf } from './view.ts';

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
  const { call, isServed } = await webhookCall(app);
  const former = await call<WebhookAnswer>({ method: 'GET', path: pathOf(ref) });
  const path = `${pathOf(former.webhook_id ?? former.name)}/${enabled ? 'enable' : 'disable'}`;
  const view = await call<WebhookAnswer>({ method: 'POST', path });
  const word = enabled ? 'enabled' : 'disabled';
  const was = former.enabled === view.enabled ? 'was' : 'is now';
  return report(app, json, {
    view,
    done: `${view.name} (${view.webhook_id}) ${was} ${word}`,
    next: enabled ? `hookctl webhook show ${refOf(view)}` : `hookctl webhook enable ${refOf(view)}`,
    isServed,
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
  const { call, isServed } = await webhookCall(app);
  const { webhook_id, name, endpoint } = await call<WebhookAnswer>({ method: 'GET', path: pathOf(ref) });
  await call({ method: 'DELETE', path: pathOf(webhook_id ?? name) });
  return report(app, json, {
    view: { removed: { webhook_id, name, endpoint } },
    done: `removed ${name} (${webhook_id}); ${endpoint} answers 404`,
    next: 'hookctl webhook list',
    isServed,
  });
}
