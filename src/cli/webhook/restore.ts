import type { Command } from 'commander';
import type { ServiceFlags, Services } from '../../services.ts';
import { examples, type Runner } from '../kit/command.ts';
import { inForce, report } from './change.ts';

interface RestoreFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureRestore(command: Command, runner: Runner): void {
  command
    .description('Bring the last good copy of the dynamic webhooks back, after webhooks.json was damaged.')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl webhook restore'))
    .action((flags: RestoreFlags) => runner.run(command.optsWithGlobals(), (app) => restore(app, flags)));
}

/** Needs no configuration that validates: it is what makes it valid again. */
async function restore(app: Services, { json }: RestoreFlags): Promise<0> {
  const db = await app.dynamic();
  const { webhooks, kept, revision } = await db.restore();
  const served = await inForce(app, revision);
  return report(app, json, {
    view: { file: db.file, webhooks, kept, revision },
    done: `restored ${db.file}: ${webhooks} ${webhooks === 1 ? 'webhook' : 'webhooks'}${kept === null ? '' : `\nwhat stood there is now ${kept}`}`,
    next: 'hookctl webhook list',
    served,
  });
}
