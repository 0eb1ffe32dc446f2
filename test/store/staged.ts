import { type Staged, stageBackup } from '../../src/store/local/restore.ts';
import { swapIn } from '../../src/store/local/swap.ts';
import { NOW } from './records.ts';

/** Copies a backup beside what is stored, as `hookctl restore` does. */
export function stage(source: string, dataFolder: string, at = NOW): Promise<Staged> {
  return stageBackup({
    source,
    dataFolder,
    entry: { at, actor: { kind: 'cli', name: 'ada' } },
  });
}

/** Restores a backup into a folder that no process has open. Returns the name of the folder with what was there. */
export async function restoreInto(source: string, dataFolder: string): Promise<string> {
  const staged = await stage(source, dataFolder);
  await swapIn(dataFolder, staged);
  return staged.former;
}
