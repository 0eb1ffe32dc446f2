import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { glob, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Issue } from '../../types.ts';
import type { ValidDefinition } from '../schema.ts';

/*
 * Modules are programs: only `serve`, `check` and `trigger` run them. What they defined at the last start is kept in the
 * data folder, and every other command takes it from there. `webhook list` reads this file: nothing heavy belongs here.
 */

/** Where static webhooks are looked for when `static:` says nothing; it may match no file. */
export const DEFAULT_STATIC = './webhooks/*.ts';

/** Declarations, packages, and the tests beside a project's modules: to load one would run it. */
const NO_WEBHOOK = /\.d\.ts$|\.(?:test|spec)\.[mc]?[jt]s$|(?:^|\/)node_modules\//;

/** The modules that patterns name, in order of their paths, and what is wrong with the patterns. */
interface ModuleFiles {
  readonly files: readonly string[];
  readonly issues: readonly Issue[];
}

/** Follows the patterns of `static:`, which are relative to webhooks.yml. */
export async function moduleFiles(projectFile: string, patterns: readonly string[]): Promise<ModuleFiles> {
  const expanded = await Promise.all(patterns.map((pattern) => expand(dirname(projectFile), pattern)));
  return {
    files: [...new Set(expanded.flatMap(({ files }) => files))].sort(),
    issues: expanded.flatMap(({ issues }) => issues),
  };
}

async function expand(folder: string, pattern: string): Promise<ModuleFiles> {
  const wanted: string[] = [];
  // Most projects have no modules: to load what reads patterns takes longer than to look for their folder.
  const start = resolve(folder, pattern.replace(/[^/]*[*?[{(!+@].*$/, ''));
  if (existsSync(start)) {
    for await (const file of glob(pattern, { cwd: folder })) {
      if (!NO_WEBHOOK.test(file)) wanted.push(file);
    }
  }
  // Node names a module by its real path; so do stack traces, and the lines found in them must fit.
  const files = await Promise.all(wanted.map((file) => realpath(resolve(folder, file))));
  const issue = (message: string, fix: string): Issue => ({ path: ['static'], message, fix });
  const odd = files.filter((file) => !/\.(ts|js|mjs)$/.test(file));
  const isMissing = files.length === 0 && pattern !== DEFAULT_STATIC;
  return {
    files: files.filter((file) => !odd.includes(file)),
    issues: isMissing
      ? [issue(`${pattern} matches no file`, `Patterns are relative to ${folder}.`)]
      : odd.map((file) =>
          issue(
            `${pattern} takes in ${file}, which is no module`,
            'Make the pattern end in .ts, .js or .mjs.',
          ),
        ),
  };
}

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
const KEPT_MODULES_FILE = 'modules.json';

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

/** The modules among those files, and those that `static:` names now, that are not what `kept` came from. */
export function unloadedModules(
  kept: KeptModules,
  projectFile: string,
  named: readonly string[],
): readonly UnloadedFile[] {
  const { [projectFile]: _, ...loaded } = kept.files;
  return unloadedFiles(loaded, hashesOf([...new Set([...named, ...Object.keys(loaded)])]));
}

/** `webhooks/mine.ts: written, not loaded: restart \`hookctl serve\``, relative to a folder, or whole when that is null. */
export function unloadedText({ file, state }: UnloadedFile, folder: string | null): string {
  const name = folder === null ? file : relative(folder, file);
  const loaded = state === 'removed' ? 'still loaded' : 'not loaded';
  return `${name.startsWith('..') ? file : name}: ${state}, ${loaded}: restart \`hookctl serve\``;
}
