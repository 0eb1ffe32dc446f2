import { realpathSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { requireLocalStore } from '../kit/stored.ts';

export const configureImport: CliCommand = (command, runner) => {
  command
    .description(
      'Take over what hookctl 0.1.0 stored, while no server runs: its data folder, also the one in use, or a backup of it. It works on a copy and checks it; the folder of 0.1.0 is kept.',
    )
    .argument('<folder>', 'a data folder of hookctl 0.1.0, or a folder that its `hookctl backup` wrote')
    .option('--json', 'print { imported, former } as JSON')
    .examples('hookctl store import ~/.hookctl', 'hookctl store import ~/hookctl-backup')
    .action(runner.action(command, run));
};

async function run(app: Services, typed: string, { json = false }: JsonFlags): Promise<0> {
  const { io, clock, cwd, located } = app;
  const { dataFolder } = located;
  const source = resolve(cwd, typed);
  requireLocalStore(app, 'store import');
  await app.hold('store import');
  const isInPlace = realPath(source) === realPath(dataFolder);
  if (!isInPlace) await refuseOther(source, dataFolder);
  const { stageImport } = await import('../../store/local/restore.ts');
  const { swapIn } = await import('../../store/local/swap.ts');
  say(io.err, `Copying and checking ${source} …`);
  const staged = await stageImport(source, dataFolder, clock.now());
  await swapIn(dataFolder, staged);
  const former = join(dataFolder, staged.former);
  // Nothing but the `.gitignore` of a new folder was replaced.
  if (!isInPlace) await rm(former, { recursive: true });
  if (json) printJson(io, { imported: source, former: isInPlace ? former : null });
  else {
    say(io.out, `Imported ${source}.`);
    if (isInPlace) say(io.out, `The folder as it was is in ${former}`);
    say(io.err, 'Next: hookctl serve');
  }
  return 0;
}

/** Throws when another folder can't be imported here: `in_use`, or `exists` because something is stored here already. */
async function refuseOther(source: string, dataFolder: string): Promise<void> {
  const { currentHolder } = await import('../../store/local/lock.ts');
  const { staysInPlace } = await import('../../store/local/swap.ts');
  const holder = currentHolder(source);
  if (holder !== null)
    throw failure('in_use', `hookctl ${holder.command} (pid ${holder.pid}) works on ${source}`, {
      fix: 'Stop it first.',
    });
  const kept = (await readdir(dataFolder)).filter((name) => !staysInPlace(name) && !name.startsWith('.'));
  if (kept.length === 0) return;
  throw failure('exists', `${dataFolder} holds ${kept.join(', ')} already, which an import would replace`, {
    fix: 'Name a new folder: HOOKCTL_HOME=<folder> hookctl store import <folder of 0.1.0>.',
  });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
