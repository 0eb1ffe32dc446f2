import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ValidDefinition } from '../schema.ts';

/*
 * Modules are programs: only `serve`, `check` and `trigger` run them. What they defined at the last start is kept in the
 * data folder, and every other command takes it from there.
 */

/** A webhook that a module defined. */
export interface KeptDefinition {
  readonly definition: ValidDefinition;
  readonly file: string;
  readonly line: number;
  /** Its provider is code of the project, which is not kept. */
  readonly hasOwnProvider: boolean;
}

/** What the last start made of the project's files. */
export interface KeptModules {
  /** webhooks.yml, the modules and what they import, each with the hash of its content. */
  readonly files: Readonly<Record<string, string>>;
  readonly definitions: readonly KeptDefinition[];
}

/** In the data folder. */
export const KEPT_MODULES_FILE = 'modules.json';

export async function keepModules(dataFolder: string, kept: KeptModules): Promise<void> {
  const { writeFileAtomic } = await import('../../lib/files/atomic-file.ts');
  await writeFileAtomic(join(dataFolder, KEPT_MODULES_FILE), `${JSON.stringify(kept, null, 2)}\n`, {
    durable: false,
  });
}

/** Nothing when no server was started here yet. */
export function readKeptModules(dataFolder: string): KeptModules {
  try {
    return JSON.parse(readFileSync(join(dataFolder, KEPT_MODULES_FILE), 'utf8')) as KeptModules;
  } catch {
    return { files: {}, definitions: [] };
  }
}

/** A file of the project that is not as it was loaded. */
export interface UnloadedFile {
  readonly file: string;
  readonly state: 'written' | 'changed' | 'removed';
}

/** The hash of a file's content; null when there is none that can be read. */
export function contentHash(file: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}

/** Hashes of files; those that cannot be read are left out. */
export function hashesOf(files: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    files.flatMap((file) => {
      const hash = contentHash(file);
      return hash === null ? [] : [[file, hash]];
    }),
  );
}

/** What differs between the files as they were loaded and as they are. */
export function unloadedFiles(
  loaded: KeptModules['files'],
  now: KeptModules['files'],
): readonly UnloadedFile[] {
  const present = Object.entries(now).flatMap(([file, hash]): readonly UnloadedFile[] => {
    const before = loaded[file];
    return before === hash ? [] : [{ file, state: before === undefined ? 'written' : 'changed' }];
  });
  const gone = Object.keys(loaded).filter((file) => now[file] === undefined);
  return [...present, ...gone.map((file): UnloadedFile => ({ file, state: 'removed' }))];
}

/** `webhooks/mine.ts: written, not loaded: restart \`hookctl serve\``, relative to a folder; null: with its whole path. */
export function unloadedText({ file, state }: UnloadedFile, folder: string | null): string {
  const name = folder === null ? file : relative(folder, file);
  const loaded = state === 'removed' ? 'still loaded' : 'not loaded';
  return `${name.startsWith('..') ? file : name}: ${state}, ${loaded}: restart \`hookctl serve\``;
}
