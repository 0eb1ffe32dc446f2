import { type FSWatcher, watch } from 'chokidar';
import { messageOf } from '../errors.ts';

export interface WatchOptions {
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

/**
 * Watches files by their own paths: a watch on the folder goes silent when the folder is made anew. Resolves when
 * changes are seen; what happened before has to be looked for.
 */
export async function watchPaths(options: WatchOptions): Promise<FileWatch> {
  let watcher = open(options, false);
  let polling: Promise<void> | null = null;
  const failed = new Promise<void>((resolve) => {
    watcher.on('error', (error) => {
      polling ??= poll(messageOf(error));
      resolve();
    });
  });
  await Promise.race([ready(watcher), failed]);
  await polling;

  async function poll(reason: string): Promise<void> {
    await watcher.close();
    watcher = open(options, true);
    // A file that cannot be looked at is found out by whoever reads it.
    watcher.on('error', () => undefined);
    options.polling(reason);
    await ready(watcher);
  }

  return {
    async close() {
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
