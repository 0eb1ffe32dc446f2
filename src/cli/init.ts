import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { scaffold } from '../config/project/scaffold.ts';
import { say } from '../lib/io.ts';
import type { ServiceFlags, Services } from '../services.ts';
import { databasePath } from '../store/local/sqlite.ts';
import type { CliCommand } from './kit/command.ts';
import { agrees, canAsk } from './kit/prompts.ts';

interface InitFlags extends ServiceFlags {
  readonly moveData?: boolean;
}

export const configureInit: CliCommand = (command, runner) => {
  command
    .option('--move-data', 'move the data of ~/.hookctl here without asking')
    .option('--no-move-data', 'leave the data of ~/.hookctl where it is, without asking')
    .examples('hookctl init && hookctl check && hookctl serve')
    .action(() =>
      runner.run(command.optsWithGlobals<InitFlags>(), (app) => run(app, command.opts<InitFlags>())),
    );
};

async function run(app: Services, { moveData }: InitFlags): Promise<0> {
  const { io, cwd } = app;
  await offerMove(app, moveData);
  const { written, kept } = await scaffold(cwd);
  for (const file of written) say(io.out, `wrote ${relative(cwd, file)}`);
  for (const file of kept) say(io.out, `kept ${relative(cwd, file)}, which was there`);
  if (!(await dependsOnHookctl(cwd))) {
    say(io.err, 'For types in editors, in every clone: npm install --save-dev hookctl');
  }
  say(io.err, 'Next: hookctl check && hookctl serve');
  return 0;
}

/** Whether the folder's package.json lists hookctl, so that `npm install` installs its types. */
async function dependsOnHookctl(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '');
  return /"hookctl"\s*:/.test(text);
}

/** A webhooks.yml moves the data folder beside it, so an existing store would seem lost. */
async function offerMove(app: Services, wish: boolean | undefined): Promise<void> {
  const from = join(app.home, '.hookctl');
  const to = join(app.cwd, '.hookctl');
  if (app.env.HOOKCTL_HOME !== undefined || !existsSync(databasePath(from)) || existsSync(to)) return;
  if (wish ?? (canAsk(app) && (await agrees(app, `Move the existing data folder ${from} to ${to}?`)))) {
    await rename(from, to);
    say(app.io.out, `moved ${from} to ${to}`);
  } else {
    say(app.io.err, `${from} stays; data is now stored in ${to}. To move it: hookctl init --move-data`);
  }
}
