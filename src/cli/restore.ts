import { join, resolve } from 'node:path';
import type { App, AppFlags } from '../app.ts';
import { say } from '../lib/io.ts';
import { type CliCommand, examples } from './command.ts';
import { serverClient } from './operate.ts';
import { printJson } from './print.ts';

interface RestoreFlags extends AppFlags {
  readonly json?: boolean;
}

export const restore: CliCommand = {
  configure(command, runner) {
    command
      .description(
        'Put a backup in the place of what is stored, also while a server runs: it tells senders to come again, and goes on with what was restored. Everything is checked before anything is changed, and what was there is kept beside it.',
      )
      .argument('<folder>', 'a folder that `hookctl backup` wrote')
      .option('--json', 'print { restored, former, served } as JSON')
      .addHelpText('after', examples('hookctl restore ~/hookctl-backup-2026-01-31'))
      .action((folder: string, { json = false }: RestoreFlags) =>
        runner.run(command.optsWithGlobals(), (app) => run(app, folder, json)),
      );
  },
};

async function run(app: App, folder: string, json: boolean): Promise<0> {
  const { stageBackup, unstage } = await import('../store/staging.ts');
  const { dataFolder } = app.located;
  const source = resolve(app.cwd, folder);
  const server = await serverClient(app);
  // Without a server nobody else may begin to work in the folder from here on.
  if (server === null) await app.hold('restore');
  say(app.io.err, `Checking ${source} and copying it beside what is stored…`);
  const staged = await stageBackup({
    ...{ source, dataFolder },
    entry: { at: app.clock.now(), actor: app.actor },
    holder: { pid: app.pid, command: 'restore', version: app.version, startedAt: 0, server: null },
  });
  let former = join(dataFolder, staged.former);
  try {
    if (server === null) {
      const { swapIn } = await import('../store/swap.ts');
      await swapIn({ dataFolder, ...staged });
    } else {
      say(app.io.err, 'The server stops for a moment, and goes on with it…');
      ({ former } = await server.restore(staged.staged));
    }
  } catch (error) {
    // What was begun is ended by whoever opens the folder next, and needs what was staged.
    const { isSwapping } = await import('../store/swap.ts');
    if (!isSwapping(dataFolder)) await unstage(dataFolder, staged);
    throw error;
  }
  if (json) printJson(app.io, { restored: source, former, served: server !== null });
  else say(app.io.out, `Restored ${source}.\nWhat was there before is in ${former}`);
  return 0;
}
