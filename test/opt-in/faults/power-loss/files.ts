import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Content by path; a folder (null) before what it holds. */
export type Files = ReadonlyMap<string, Buffer | null>;

const HOUR_S = 3_600;

/** Writes files as they were an hour ago: by then a machine has started again, and locks of before are old. */
export function layOut(files: Files): void {
  for (const [path, content] of files) {
    if (content === null) mkdirSync(path, { recursive: true, mode: 0o700 });
    else writeFileSync(path, content, { mode: 0o600 });
  }
  const then = Date.now() / 1_000 - HOUR_S;
  for (const path of files.keys()) utimesSync(path, then, then);
}

/** Throws unless folders hold exactly these files. */
export function requireFiles(files: Files, folders: readonly string[]): void {
  const found = new Map<string, Buffer | null>();
  for (const folder of folders) {
    found.set(folder, null);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!path.endsWith('-shm')) found.set(path, entry.isDirectory() ? null : readFileSync(path));
    }
  }
  const paths = [...new Set([...files.keys(), ...found.keys()])];
  const wrong = paths.filter((path) => !isSame(files.get(path), found.get(path)));
  if (wrong.length > 0) throw new Error(`other than recorded: ${wrong.join(', ')}`);
}

function isSame(one: Buffer | null | undefined, other: Buffer | null | undefined): boolean {
  return one instanceof Buffer && other instanceof Buffer ? one.equals(other) : one === other;
}
