import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { failure, HookctlError, messageOf } from '../../errors.ts';

/** Claude Code's configuration folder. */
export interface ClaudeConfigDir {
  readonly path: string;
  /** The user named it (`CLAUDE_CONFIG_DIR`), so that hookctl may create it. */
  readonly explicit: boolean;
}

/** Where Claude Code keeps its files: `CLAUDE_CONFIG_DIR`, else `~/.claude`, NFC-normalised as Claude Code does. */
export function claudeConfigDir(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): ClaudeConfigDir {
  const named = env.CLAUDE_CONFIG_DIR ?? '';
  const path = named === '' ? join(home, '.claude') : named;
  return { path: path.normalize('NFC'), explicit: named !== '' };
}

/** The folder name that Claude Code makes of a list id (2.1.16 to 2.1.330). */
export function listFolderName(list: string): string {
  return list.replace(/[^a-zA-Z0-9_-]/g, '-');
}

/**
 * The line that opens a Claude Code session on a list. Since 2.1.233 newer models have the Task tools only when the
 * second variable asks for them.
 */
export function sessionCommand(list: string): string {
  return `CLAUDE_CODE_TASK_LIST_ID=${listFolderName(list)} CLAUDE_CODE_ENABLE_TODO_TOOLS=1 claude`;
}

/** An expected failure of the projection; its message becomes the task's `unsynced`. */
export function unwritable(reason: string): HookctlError {
  return failure('claude_tasks', reason);
}

/** Why writing to `folder` failed, in words that tell a user what to look at. */
export function reasonOf(error: unknown, folder: string): string {
  const code = errorCode(error);
  switch (code) {
    case 'ELOCKED':
      return `another program holds a lock in ${folder}`;
    case 'ENOENT':
      return `${folder} was removed while hookctl wrote to it`;
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ELOOP':
      return `${folder}, or something in it, is not the folder that it should be`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${folder} is not writable`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space is left for ${folder}`;
    default:
      // Not the message of a system error: its path leads through /proc and means nothing to a reader.
      return code === null || error instanceof HookctlError
        ? messageOf(error)
        : `${folder} could not be written (${code})`;
  }
}

/** The `code` of a system error (`ENOENT`) or of a lock that is held (`ELOCKED`); null for anything else. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** A folder that was checked, and stays the same one while it is open. */
export interface Folder {
  /**
   * For file operations. Where the system allows (Linux, /proc) it goes through the open folder: a symbolic link put
   * in its place meanwhile is not followed, so that nothing outside is touched.
   */
  readonly path: string;
  /** For messages. */
  readonly name: string;
  /** Throws when the name no longer leads to this folder: what was written is gone or out of sight. */
  assertInPlace(): Promise<void>;
  /** When a name in it was last made, removed or replaced. */
  changedAt(): bigint;
  /** Sets that moment to one of the past, so that the next change is seen however soon it follows, and returns it. */
  markUnchanged(now: number): bigint;
  close(): Promise<void>;
}

/** Opens a folder, made (0700) when absent; throws what `openExistingFolder` does. */
export async function openFolder(path: string, name: string): Promise<Folder> {
  make(path);
  return openExistingFolder(path, name);
}

/**
 * Opens a folder. Throws when it is absent. Refuses, with the reason, a symbolic link, a file, and a folder of another
 * user: each could lead hookctl's writes to where they do not belong. Synchronous within: these calls take less time than to
 * go to another thread for each.
 */
export async function openExistingFolder(path: string, name: string): Promise<Folder> {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) throw unwritable(`${name} is a symbolic link, which hookctl does not follow`);
  if (!found.isDirectory()) throw unwritable(`${name} is a file where a folder should be`);
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return checked(fd, path, name);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function make(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function checked(fd: number, path: string, name: string): Folder {
  const stats = () => fstatSync(fd, { bigint: true });
  const own = stats();
  if (Number(own.uid) !== process.getuid?.()) throw unwritable(`${name} belongs to another user`);
  const pinned = `/proc/self/fd/${fd}`;
  const isPinned = isSame(own, () => statSync(pinned, { bigint: true }));
  return {
    path: isPinned ? pinned : path,
    name,
    async assertInPlace() {
      if (!isSame(own, () => lstatSync(path, { bigint: true })))
        throw unwritable(`${name} was removed or replaced while hookctl wrote to it`);
    },
    changedAt: () => stats().mtimeNs,
    markUnchanged(now) {
      const seconds = now / 1_000 - 1 - Math.random();
      futimesSync(fd, seconds, seconds);
      return stats().mtimeNs;
    },
    async close() {
      closeSync(fd);
    },
  };
}

/** Whether it is the same file; false where it is gone. */
function isSame({ dev, ino }: BigIntStats, look: () => BigIntStats): boolean {
  try {
    const found = look();
    return found.dev === dev && found.ino === ino;
  } catch {
    return false;
  }
}
