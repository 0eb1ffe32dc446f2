import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, stat } from 'node:fs/promises';
import { errorCode, unwritable } from './problem.ts';

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
  close(): Promise<void>;
}

/**
 * Opens a folder, made (0700) when absent. Refuses, with the reason, a symbolic link, a file, and a folder of another
 * user: each could lead hookctl's writes to where they do not belong.
 */
export async function openFolder(path: string, name: string): Promise<Folder> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (found.isSymbolicLink()) throw unwritable(`${name} is a symbolic link, which hookctl does not follow`);
  if (!found.isDirectory()) throw unwritable(`${name} is a file where a folder should be`);
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return await checked(handle, path, name);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function checked(handle: FileHandle, path: string, name: string): Promise<Folder> {
  const own = await handle.stat();
  if (own.uid !== process.getuid?.()) throw unwritable(`${name} belongs to another user`);
  const identity = `${own.dev}:${own.ino}`;
  const pinned = `/proc/self/fd/${handle.fd}`;
  const isPinned = (await identityOf(stat(pinned))) === identity;
  return {
    path: isPinned ? pinned : path,
    name,
    assertInPlace: async () => {
      if ((await identityOf(lstat(path))) !== identity) {
        throw unwritable(`${name} was removed or replaced while hookctl wrote to it`);
      }
    },
    close: () => handle.close(),
  };
}

async function identityOf(stats: Promise<{ dev: number; ino: number }>): Promise<string | null> {
  return stats.then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}
