import type { Command } from 'commander';
import { removeWebhook } from '../../config/dynamic/edit.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { changeDb, report } from './change.ts';
import { onWebhook } from './find.ts';

interface RemoveFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureRemove(command: Command, runner: Runner): void {
  command
    .description('Remove a dynamic webhook and its commands. Its deliveries and tasks stay.')
    .argument('<webhook>', 'id or name')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl webhook remove triage'))
    .action((ref: string, flags: RemoveFlags) =>
      runner.run(command.optsWithGlobals(), (app) => remove(app, ref, flags)),
    );
}

async function remove(app: Services, ref: string, { json }: RemoveFlags): Promise<0> {
  const { result, served } = await changeDb(app, onWebhook(ref, removeWebhook));
  const { webhook_id, name, endpoint } = result;
  return report(app, json, {
    view: { removed: { webhook_id, name, endpoint } },
    done: `removed ${name} (${webhook_id}); ${endpoint} answers 404`,
    next: 'hookctl webhook list',
    served,
  });
}
