import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic, writeFileAtomicNow } from '../../lib/files/atomic-file.ts';
import { oneByOne } from './batch-queue.ts';
import { errorCode, type Folder } from './folder.ts';
import { isFinal, isListTask, isPlaceholder, type ListTask } from './list-entry.ts';

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
function readListFileNow(folder: Pick<Folder, 'path'>, number: number): ListFile {
  try {
    const value: unknown = JSON.parse(readPlainFile(listFilePath(folder, number)));
    return isListTask(value) ? value : 'damaged';
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged';
    return errorCode(error) === 'ENOENT' ? 'missing' : 'unreadable';
  }
}

/** Replaces or makes an entry. Two spaces and no newline at the end, as Claude Code writes it. */
export async function writeListFile(folder: Folder, number: number, task: ListTask): Promise<void> {
  writeFileAtomicNow(listFilePath(folder, number), JSON.stringify(task, null, 2));
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
/** Another hookctl may be writing right now; no write takes that long. */
const OLD_MS = 60_000;

/** Removes what a hookctl that was killed in the middle of a write left behind. */
export async function removeStaleTempFiles(folder: Folder, now: number): Promise<void> {
  for (const name of (await readdir(folder.path)).filter((entry) => TEMPORARY.test(entry))) {
    const path = join(folder.path, name);
    const age = await lstat(path).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age > OLD_MS) await unlink(path);
  }
}

/** What hookctl remembers of one number of a list, so that no file is read twice. */
export interface Entry {
  /** hookctl's task; null for the placeholder and for what others put there. */
  readonly taskId: string | null;
  readonly isPlaceholder: boolean;
  /**
   * When a finished task of this project ended, in epoch milliseconds; 0 when it was found on disk only, and so is
   * older than all that the store still hands in. Null when it is not finished, or another project's.
   */
  readonly finishedAt: number | null;
}

export type Entries = ReadonlyMap<number, Entry>;

/** A list as its folder has it now. */
export interface ListScan {
  readonly entries: Entries;
  /** The highest number in use, also by names that hold no valid entry; 0 for an empty list. */
  readonly highest: number;
}

/** Lists the names, which Claude Code adds to as well, and reads only the placeholder and what is not in `known`. */
export async function scanList(folder: Folder, known: Entries, project: string): Promise<ListScan> {
  const numbers = await numbersIn(folder);
  const entries = new Map<number, Entry>();
  const unknown: number[] = [];
  for (const number of numbers) {
    const before = known.get(number);
    // The placeholder is looked at every time: one that somebody completed or replaced no longer protects the list.
    if (before === undefined || before.isPlaceholder) unknown.push(number);
    else entries.set(number, before);
  }
  await oneByOne(unknown, (number) => {
    const file = readListFileNow(folder, number);
    // What cannot be read now may be valid next time.
    if (typeof file !== 'string') entries.set(number, toEntry(file, project));
  });
  return { entries, highest: numbers.reduce((most, number) => Math.max(most, number), 0) };
}

/** The numbers that files of a list have, each once. */
export async function numbersIn(folder: Folder): Promise<readonly number[]> {
  const numbers = (await readdir(folder.path)).map((name) =>
    Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN),
  );
  return [...new Set(numbers.filter(Number.isSafeInteger))];
}

function toEntry(task: ListTask, project: string): Entry {
  const { orchestration_task_id: taskId, project: owner, state } = task.metadata ?? {};
  const isOwn = typeof taskId === 'string';
  return {
    taskId: isOwn ? taskId : null,
    isPlaceholder: isPlaceholder(task),
    finishedAt: isOwn && owner === project && isFinal(state) ? 0 : null,
  };
}
