import { HookctlError } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Page } from '../../server/api/route.ts';
import type { Services } from '../../services.ts';
import { connectionView } from '../../views.ts';
import type { ConnectionView } from '../connect/connect.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { managementCall, webhookCall } from '../kit/operate.ts';
import { warn } from '../kit/print.ts';
import { remoteView } from '../kit/remote.ts';
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
  // A webhook that is written in code is refused below: its hooks stay.
  if (webhook_id !== null) await disconnectAll(app, webhook_id);
  await call({ method: 'DELETE', path: pathOf(webhook_id ?? name) });
  return report(app, json, {
    view: { removed: { webhook_id, name, endpoint } },
    done: `removed ${name} (${webhook_id}); ${endpoint} answers 404`,
    next: 'hookctl webhook list',
    isServed,
  });
}

/** Removes the hooks that send to a webhook. One whose sender refuses stays on record, and `connect check` shows it. */
async function disconnectAll(app: Services, webhookId: string): Promise<void> {
  const remote = await remoteView<Page<ConnectionView>>(app, 'connections');
  const all = remote?.items ?? (app.reader()?.connections() ?? []).map(connectionView);
  const hooks = all.filter((it) => it.webhook_id === webhookId);
  if (hooks.length === 0) return;
  const call = await managementCall(app, 'webhook remove');
  for (const { id, connector, target } of hooks) {
    try {
      await call({ method: 'DELETE', path: `/api/connections/${id}` });
      say(app.io.err, `removed its hook at ${connector} ${target}`);
    } catch (error) {
      if (!(error instanceof HookctlError)) throw error;
      const next = `Remove it later: hookctl connect remove ${id}`;
      warn(app.io, `its hook at ${connector} ${target} is still there: ${error.message}. ${next}`);
    }
  }
}
