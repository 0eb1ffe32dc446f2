import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic, writeFileAtomicNow } from '../../lib/files/atomic-file.ts';
import { errorCode, type Folder } from './folder.ts';
import { isListTask, type ListTask } from './list-entry.ts';

/**
 * `damaged`: a file, but no entry that Claude Code would accept. `unreadable`: a folder, a link, or something else that
 * is not hookctl's to replace.
 */
type ListFile = ListTask | 'missing' | 'damaged' | 'unreadable';

const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 20;

export function listFilePath(folder: Pick<Folder, 'path'>, number: number): string {
  return join(folder.path, `${number}.json`);
}

/** Reads entry `number`, a few times when it is damaged: Claude Code creates with a plain write, seen half done. */
export async function readListFile(folder: Pick<Folder, 'path'>, number: number): Promise<ListFile> {
  for (let attempt = 1; ; attempt += 1) {
    const file = readListFileNow(folder, number);
    if (file !== 'damaged' || attempt === READ_ATTEMPTS) return file;
    await delay(READ_PAUSE_MS);
  }
}

/** Reads entry `number` as it is now. */
export function readListFileNow(folder: Pick<Folder, 'path'>, number: number): ListFile {
  try {
    const value: unknown = JSON.parse(readPlainFile(listFilePath(folder, number)));
    return isListTask(value) ? value : 'damaged';
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged';
    return errorCode(error) === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** Replaces or makes an entry, and returns its stamp. Two spaces and no newline at the end, as Claude Code writes it. */
export function writeListFile(folder: Folder, number: number, task: ListTask): string {
  let stamp = '';
  writeFileAtomicNow(listFilePath(folder, number), JSON.stringify(task, null, 2), (fd) => {
    stamp = stampOf(fstatSync(fd));
  });
  return stamp;
}

/** The stamp of entry `number`, which tells whether it changed. Null for what is gone, or is no plain file. */
export function listFileStamp(folder: Folder, number: number): string | null {
  const stats = lstatSync(listFilePath(folder, number), { throwIfNoEntry: false });
  return stats?.isFile() ? stampOf(stats) : null;
}

function stampOf({ ino, mtimeMs, size }: Stats): string {
  return `${ino}:${mtimeMs}:${size}`;
}

/** The highest number that was ever freed; 0 when none was. */
export function readHighWaterMark(folder: Folder): number {
  try {
    const mark = Number.parseInt(readPlainFile(join(folder.path, '.highwatermark')), 10);
    return Number.isSafeInteger(mark) ? mark : 0;
  } catch {
    return 0;
  }
}

/** Has to be raised before an entry is removed, or Claude Code would give its number to another task. */
export async function raiseHighWaterMark(folder: Folder, number: number): Promise<void> {
  if (readHighWaterMark(folder) >= number) return;
  await writeFileAtomic(join(folder.path, '.highwatermark'), String(number), { durable: false });
}

/**
 * Synchronous: reading a small file takes less time than going to another thread for each step. Callers that read many
 * pause in between.
 */
function readPlainFile(path: string): string {
  // O_NONBLOCK: a named pipe put there must not stop hookctl.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Names that `lib/files/atomic-file.ts` gives to files not yet in place, of entries and records only. */
const TEMPORARY = /^\.(\d+\.json|\.highwatermark|claude-task-[a-z0-9-]+\.json)\.[0-9a-f]{12}\.tmp$/;
const ENTRY = /^\d+\.json$/;
/** Another hookctl may be writing right now; no write takes that long. */
const OLD_MS = 60_000;

/**
 * Removes what a hookctl that was killed in the middle of a write left behind, and entries of which a power loss took
 * bytes: hookctl writes without fsync.
 */
export async function removeLeftovers(folder: Folder, now: number): Promise<void> {
  for (const name of await readdir(folder.path)) {
    const path = join(folder.path, name);
    const isEntry = ENTRY.test(name);
    if (!isEntry && !TEMPORARY.test(name)) continue;
    const age = await lstat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > OLD_MS && (!isEntry || isWiped(path))) await unlink(path);
  }
}

/** A file system may keep the size of a file and lose bytes of it: they are zeros then, which no JSON has. */
function isWiped(path: string): boolean {
  try {
    return /^$|\0\0/.test(readPlainFile(path));
  } catch {
    return false;
  }
}
