import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Folder } from './folder.ts';

/** Names that `lib/atomic-file.ts` gives to files not yet in place, of entries and records only. */
const TEMPORARY = /^\.(\d+\.json|\.highwatermark|claude-task-[a-z0-9-]+\.json)\.[0-9a-f]{12}\.tmp$/;
/** Another hookctl may be writing right now; no write takes that long. */
const OLD_MS = 60_000;

/** Removes what a hookctl that was killed in the middle of a write left behind. */
export async function removeStaleTempFiles(folder: Folder, now: number): Promise<void> {
  for (const name of (await readdir(folder.path)).filter((entry) => TEMPORARY.test(entry))) {
    const path = join(folder.path, name);
    const age = await lstat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > OLD_MS) await unlink(path);
  }
}
