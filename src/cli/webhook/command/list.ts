import { findWebhook } from '../../../config/dynamic/find.ts';
import { type OutputStream, say } from '../../../lib/io.ts';
import type { Page } from '../../../server/api/route.ts';
import { type CommandView, commandView } from '../../../server/webhook-view.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { printJson } from '../../kit/print.ts';
import { remoteView } from '../../kit/remote.ts';
import { below, table, whole } from '../../kit/table.ts';

export const configureCommandList: CliCommand = (command, runner) => {
  command
    .description('List the commands of a webhook, static ones too.')
    .argument('<webhook>', 'id or name')
    .option('--json', 'print an array')
    .examples('hookctl webhook command list triage')
    .action(runner.action(command, list));
};

async function list(app: Services, ref: string, { json }: JsonFlags): Promise<0> {
  const remote = await remoteView<Page<CommandView>>(app, `webhooks/${encodeURIComponent(ref)}/commands`);
  const { name, commands } =
    remote === null ? await configured(app, ref) : { name: ref, commands: remote.items };
  if (json === true) printJson(app.io, commands);
  else if (commands.length === 0) say(app.io.err, `${name} has no commands.`);
  else say(app.io.out, await commandTable(app.io.out, commands));
  return 0;
}

async function configured(app: Services, ref: string) {
  const { snapshot } = await app.configuration();
  const { name, commands } = findWebhook(snapshot.webhooks, ref);
  return { name, commands: commands.map(commandView) };
}

/** Commands with what starts them. */
export function commandTable(out: OutputStream, commands: readonly CommandView[]): Promise<string> {
  const rows = commands.map((row) => [
    row.id ?? '',
    row.trigger ?? [row.name ?? '', ...(row.aliases ?? [])].join(', '),
    String(row.priority ?? '-'),
    row.action ?? '',
    row.target_agent ?? '',
    row.requires_approval === true ? 'yes' : row.approval === 'never' ? 'never' : 'no',
    row.conditions === undefined || Object.keys(row.conditions).length === 0
      ? ''
      : JSON.stringify(row.conditions),
  ]);
  return table(
    out,
    [whole('id'), 'started by', 'priority', 'action', 'agent', 'needs approval', below('if')],
    rows,
  );
}
