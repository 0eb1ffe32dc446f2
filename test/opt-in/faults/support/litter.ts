import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { eventually } from './wait.ts';

const HOUR_S = 3_600;

/** Makes half written files look an hour old: younger ones could be somebody's who is still at it. */
export function ageLitter(bed: Bed): void {
  const then = Date.now() / 1_000 - HOUR_S;
  for (const path of litterOf(bed)) utimesSync(path, then, then);
}

/** Throws when temporary files are left that nobody renames any more; one that is being written is waited for. */
export async function requireNoLitter(bed: Bed): Promise<void> {
  await eventually('half written files to be gone', () => litterOf(bed).length === 0).catch((error) => {
    throw new Error(`half written files are left: ${litterOf(bed).join(', ')}`, { cause: error });
  });
}

function litterOf({ dataFolder, claudeFolder }: Bed): readonly string[] {
  return [dataFolder, join(claudeFolder, 'tasks')]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith('.tmp'));
}
