import { dirname } from 'node:path';
import { type UnloadedFile, unloadedText } from '../../config/modules/kept-modules.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';

/** Says which files of the project are not loaded as they are, one line each. */
export function sayUnloaded(
  { io, located: { projectFile } }: Services,
  unloaded: readonly UnloadedFile[],
): void {
  const folder = projectFile === null ? null : dirname(projectFile);
  for (const file of unloaded) say(io.err, `note: ${unloadedText(file, folder)}`);
}
