import { existsSync, realpathSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type FSWatcher, watch } from 'chokidar';
import { messageOf } from '../errors.ts';
import type { Configuration } from './index.ts';
import {
  contentHash,
  type KeptModules,
  moduleFiles,
  type UnloadedFile,
  unloadedFiles,
} from './modules/files.ts';

interface WatchOptions {
  readonly files: readonly string[];
  /** A file was written, replaced, removed or made; which of these is found out by looking. */
  readonly touched: (file: string) => void;
  /** The system cannot watch files (inotify's limits), so that they are looked at twice a second from now on. */
  readonly polling: (reason: string) => void;
}

export interface FileWatch {
  close(): Promise<void>;
}

const POLL_MS = 500;
/** How often a file that does not exist is looked for, in ms. */
const MISSING_MS = 50;

/**
 * Watches files by their own paths: a watch on the folder goes silent when the folder is made anew. Resolves when
 * changes are seen; what happened before has to be looked for. A file that does not exist yet is looked for instead:
 * chokidar would read its whole folder anew at everything that happens there, which beside a db is at every write.
 */
export async function watchPaths(options: WatchOptions): Promise<FileWatch> {
  const { files, touched } = options;
  let missing = files.filter((file) => !existsSync(file));
  let watcher = open({ ...options, files: files.filter((file) => !missing.includes(file)) }, false);
  let polling: Promise<void> | null = null;
  const failed = new Promise<void>((resolve) => {
    watcher.on('error', (error) => {
      polling ??= poll(messageOf(error));
      resolve();
    });
  });
  const looking = setInterval(() => {
    const made = missing.filter((file) => existsSync(file));
    if (made.length === 0) return;
    missing = missing.filter((file) => !made.includes(file));
    watcher.add(made);
    for (const file of made) touched(file);
  }, MISSING_MS);
  await Promise.race([ready(watcher), failed]);
  await polling;

  async function poll(reason: string): Promise<void> {
    await watcher.close();
    clearInterval(looking);
    watcher = open(options, true);
    // The next read of the file reports that it cannot be looked at.
    watcher.on('error', () => undefined);
    options.polling(reason);
    await ready(watcher);
  }

  return {
    async close() {
      clearInterval(looking);
      await polling;
      await watcher.close();
    },
  };
}

function open({ files, touched }: WatchOptions, usePolling: boolean): FSWatcher {
  // chokidar's awaitWriteFinish would hold every change back; who reads decides whether a file is whole.
  const intervals = { interval: POLL_MS, binaryInterval: POLL_MS };
  const watcher = watch([...files], { ignoreInitial: true, usePolling, ...intervals });
  return watcher.on('all', (_event, path) => touched(path));
}

function ready(watcher: FSWatcher): Promise<void> {
  return new Promise((resolve) => watcher.once('ready', resolve));
}

/** Editors replace a file by removing it first: what is gone for less than this, in ms, is not reported as removed. */
const REPLACED_WITHIN_MS = 250;

interface SourceLooks {
  /** The project's files that are not as they were loaded. */
  look(): Promise<readonly UnloadedFile[]>;
}

/**
 * Compares webhooks.yml and the modules that `static:` names with what was loaded. By their content and the paths that
 * links lead to: a watch sees neither a module that is new nor a folder link on the path that is pointed elsewhere.
 */
export function sourceLooks({
  source,
  project,
  modules,
}: Pick<Configuration, 'source' | 'project' | 'modules'>): SourceLooks {
  const known = new Map<string, { readonly stamp: string; readonly hash: string | null }>();
  const hasProject = modules.files[source.file] !== undefined;

  async function current(): Promise<KeptModules['files']> {
    if (!hasProject) return {};
    const { files: named } = await moduleFiles(source.file, project.static).catch(() => ({ files: [] }));
    const files = new Set([...named, ...Object.keys(modules.files)]);
    return Object.fromEntries(
      [...files].flatMap((file) => {
        const hash = hashOf(file);
        return hash === null ? [] : [[file, hash]];
      }),
    );
  }

  /** Read again only when the file is another one, or was written. */
  function hashOf(file: string): string | null {
    const stamp = stampOf(file);
    const last = known.get(file);
    if (last?.stamp === stamp) return last.hash;
    const hash = contentHash(file);
    known.set(file, { stamp, hash });
    return hash;
  }

  return {
    async look() {
      const found = unloadedFiles(modules.files, await current());
      if (found.every(({ state }) => state !== 'removed')) return found;
      await delay(REPLACED_WITHIN_MS);
      return unloadedFiles(modules.files, await current());
    },
  };
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${realpathSync(file)} ${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'absent';
  }
}
