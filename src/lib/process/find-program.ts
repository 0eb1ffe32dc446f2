import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';

/** The path of a program: a name is looked up on the PATH, a path starts at `folder`. Null when there is none to run. */
export async function findProgram(
  program: string,
  folder: string,
  path: string | undefined,
): Promise<string | null> {
  const places = program.includes('/')
    ? [resolve(folder, program)]
    : (path ?? '').split(delimiter).flatMap((place) => (place === '' ? [] : [resolve(place, program)]));
  for (const place of places) if (await isProgram(place)) return place;
  return null;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
