import { resolve } from 'node:path';
import type { AppFlags } from '../app.ts';
import { say } from '../lib/io.ts';
import { type CliCommand, examples } from './command.ts';
import { printJson } from './print.ts';

interface RestoreFlags extends AppFlags {
  readonly json?: boolean;
}

export const restore: CliCommand = {
  configure(command, runner) {
    command
      .description(
        'Put a backup in the place of what is stored. Everything is checked before anything is changed, and what stood there is kept beside it. A server has to be stopped first.',
      )
      .argument('<folder>', 'a folder that `hookctl backup` wrote')
      .option('--json', 'print { restored, former } as JSON')
      .addHelpText('after', examples('hookctl restore ~/hookctl-backup-2026-01-31'))
      .action((folder: string, { json }: RestoreFlags) =>
        runner.run(command.optsWithGlobals(), async (app) => {
          const { checkBackup, restoreBackup } = await import('../store/backup.ts');
          const source = resolve(app.cwd, folder);
          await checkBackup(source);
          await app.hold('restore');
          const former = await restoreBackup(source, app.located.dataFolder, app.clock.now());
          if (json === true) printJson(app.io, { restored: source, former });
          else say(app.io.out, `Restored ${source}.\nWhat stood there before is in ${former}`);
          return 0;
        }),
      );
  },
};
