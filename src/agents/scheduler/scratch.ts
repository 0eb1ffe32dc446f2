import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder (0700) for files of one run. Not in the data folder: a run is told its path, and secrets lie there. */
export function makeScratch(runId: string): Promise<string> {
  return mkdtemp(join(tmpdir(), prefixOf(runId)));
}

/** Removes what killed servers left of these runs. */
export async function removeScratch(runIds: readonly string[]): Promise<void> {
  const names = runIds.length === 0 ? [] : await readdir(tmpdir());
  const left = names.filter((name) => runIds.some((id) => name.startsWith(prefixOf(id))));
  // What belongs to somebody else who took the name stays.
  for (const name of left) await rm(join(tmpdir(), name), { recursive: true }).catch(() => undefined);
}

function prefixOf(runId: string): string {
  return `hookctl-${runId}-`;
}
