import { removeCommand } from '../../../config/dynamic/edit.ts';
import type { Services } from '../../../services.ts';
import type { CliCommand, JsonFlags } from '../../kit/command.ts';
import { changeDb } from '../change.ts';
import { onCommand } from '../find.ts';
import { reportCommand } from './report.ts';

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
  const changed = await changeDb(app, onCommand(ref, commandRef, removeCommand));
  return reportCommand(app, json, changed, {
    did: 'removed',
    next: (webhookRef) => `hookctl webhook command list ${webhookRef}`,
  });
}
