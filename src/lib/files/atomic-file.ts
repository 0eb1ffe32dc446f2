import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

interface AtomicWriteOptions {
  /** Default 0o600: everything hookctl writes is its user's alone. */
  readonly mode?: number;
  /**
   * Default true: the bytes and the name survive a power loss. False only for files that can be made again from
   * the store.
   */
  readonly durable?: boolean;
}

const PRIVATE = 0o600;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Replaces a file in one step: a reader sees the old content or the new one, never a part, and after a crash the
 * name leads to one of the two. The temporary name is random and opened with O_EXCL | O_NOFOLLOW, so that a link
 * planted there is not followed.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode = PRIVATE, durable = true }: AtomicWriteOptions = {},
): Promise<void> {
  const temporary = temporaryFor(path);
  const handle = await open(temporary, NEW_FILE, mode);
  try {
    await fill(handle, content, mode, durable);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw naming(error, path);
  }
  if (durable) await syncDirectory(dirname(path));
}

/** What failed on an open file names no path by itself. */
function naming(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || 'path' in error) return error;
  error.message += ` '${path}'`;
  return Object.assign(error, { path });
}

async function fill(
  handle: FileHandle,
  content: string | Uint8Array,
  mode: number,
  durable: boolean,
): Promise<void> {
  try {
    // open() applies the umask; chmod sets the exact mode.
    await handle.chmod(mode);
    await handle.writeFile(content);
    if (durable) await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The same for a small file (0600) that can be made again, at once and without an fsync: what the system has to do
 * takes less time than to go to another thread for each of its steps. A caller that writes many files pauses in between.
 * `written` gets the open file before it has its name.
 */
export function writeFileAtomicNow(path: string, content: string, written?: (fd: number) => void): void {
  const temporary = temporaryFor(path);
  // A umask only takes permissions away, and none that a file for its owner alone has.
  const fd = openSync(temporary, NEW_FILE, PRIVATE);
  try {
    try {
      writeFileSync(fd, content);
      written?.(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw naming(error, path);
  }
}

/** The last part of a UUID is random; Node draws the bytes of many at once. */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(-12)}.tmp`);
}

/** Makes a rename or a new name in a folder survive a power loss. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
