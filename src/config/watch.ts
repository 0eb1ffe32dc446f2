import { existsSync } from 'node:fs';
import { type FSWatcher, watch } from 'chokidar';
import { messageOf } from '../errors.ts';

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
    // A file that cannot be looked at is found out by whoever reads it.
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
