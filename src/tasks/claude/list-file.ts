import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic, writeFileAtomicNow } from '../../lib/files/atomic-file.ts';
import type { Folder } from './folder.ts';
import type { ListTask } from './list-task.ts';
import { errorCode } from './problem.ts';

/**
 * `damaged`: a file, but no entry that Claude Code would accept. `unreadable`: a folder, a link, or something else that
 * is not hookctl's to replace.
 */
type ListFile = ListTask | 'missing' | 'damaged' | 'unreadable';

const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 20;

export function listFilePath(folder: Folder, number: number): string {
  return join(folder.path, `${number}.json`);
}

/** Reads entry `number`, a few times when it is damaged: Claude Code creates with a plain write, seen half done. */
export async function readListFile(folder: Folder, number: number): Promise<ListFile> {
  for (let attempt = 1; ; attempt += 1) {
    const file = readListFileNow(folder, number);
    if (file !== 'damaged' || attempt === READ_ATTEMPTS) return file;
    await delay(READ_PAUSE_MS);
  }
}

/** Reads entry `number` as it is now. */
export function readListFileNow(folder: Folder, number: number): ListFile {
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

/** Must stand before an entry is removed, or Claude Code would give its number to another task. */
export async function raiseHighWaterMark(folder: Folder, number: number): Promise<void> {
  if (readHighWaterMark(folder) >= number) return;
  await writeFileAtomic(join(folder.path, '.highwatermark'), String(number), { durable: false });
}

/**
 * At once: what the system has to do for a small file takes less time than to go to another thread for each of its
 * steps. Whoever reads many lets others have their turn in between.
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

/** Claude Code's own check: an entry that fails it is skipped there without a word. */
function isListTask(value: unknown): value is ListTask {
  if (!isObject(value)) return false;
  const { id, subject, description, activeForm, owner, status, blocks, blockedBy, metadata } = value;
  return (
    [id, subject, description].every((text) => typeof text === 'string') &&
    [activeForm, owner].every((text) => text === undefined || typeof text === 'string') &&
    (status === 'pending' || status === 'in_progress' || status === 'completed') &&
    [blocks, blockedBy].every(isTextArray) &&
    (metadata === undefined || isObject(metadata))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextArray(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
