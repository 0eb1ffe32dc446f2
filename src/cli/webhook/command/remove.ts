import { findCommand } from '../../../config/dynamic/find.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { commandTarget, reportCommand } from './report.ts';

export const configureCommandRemove: CliCommand = (command, runner) => {
  command
    .description('Remove a command from a dynamic webhook.')
    .argument('<webhook>', 'id or name')
    .argument('<command>', 'id, or its name or trigger where only one has it')
    .option('--json', 'print one object')
    .examples('hookctl webhook command remove triage issues.opened')
    .action(runner.action(command, remove));
};

async function remove(app: Services, ref: string, commandRef: string, { json }: JsonFlags): Promise<0> {
  const target = await commandTarget(app, ref);
  const command = findCommand(target.webhook, commandRef);
  await target.call({ method: 'DELETE', path: `${target.path}/${command.id}` });
  return reportCommand(app, json, target, {
    did: 'removed',
    command,
    next: (webhookRef) => `hookctl webhook command list ${webhookRef}`,
  });
}
