import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { countedNoun } from '../kit/print.ts';
import { inForce, report } from './change.ts';

export const configureRestore: CliCommand = (command, runner) => {
  command
    .description('Restore the last valid copy of the dynamic webhooks when webhooks.json is damaged.')
    .option('--json', 'print one object')
    .examples('hookctl webhook restore')
    .action(runner.action(command, restore));
};

/** Loads no configuration, because the damaged file would not validate. */
async function restore(app: Services, { json }: JsonFlags): Promise<0> {
  const db = await app.dynamic();
  const { webhooks, kept, revision } = await db.restore();
  const served = await inForce(app, revision);
  return report(app, json, {
    view: { file: db.file, webhooks, kept, revision },
    done: `restored ${db.file}: ${countedNoun(webhooks, 'webhook')}${kept === null ? '' : `\nthe damaged file is now ${kept}`}`,
    next: 'hookctl webhook list',
    served,
  });
}
