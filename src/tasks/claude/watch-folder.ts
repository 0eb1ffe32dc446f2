import { type FSWatcher, lstatSync, watch } from 'node:fs';

/** A watch on one folder, also when it is removed and made again. */
interface FolderWatch {
  /** Looks whether the folder is still the one that is watched; called now and then. */
  refresh(): void;
  close(): void;
}

/**
 * Tells of every change in a folder, without saying which: whoever is told looks for it. One watch for all files, as
 * Claude Code does it; a watch on each of thousands of files would use up what the system allows. Where nothing can be
 * watched there is only the caller's own slow look.
 */
export function watchFolder(path: string, touched: () => void): FolderWatch {
  let watcher: FSWatcher | null = null;
  let watched: string | null = null;

  function refresh(): void {
    const identity = identityOf(path);
    if (identity === watched && watcher !== null) return;
    close();
    if (identity === null) return;
    try {
      watcher = watch(path, { persistent: false }, touched);
      watcher.on('error', close);
      watched = identity;
    } catch {
      close();
    }
  }

  function close(): void {
    watcher?.close();
    watcher = null;
    watched = null;
  }

  refresh();
  return { refresh, close };
}

function identityOf(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : null;
}
