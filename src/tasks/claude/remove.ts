import { rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Task } from '../../types.ts';
import { type Folder, listFolderName, openExistingFolder } from './folder.ts';
import { type ListTask, notedEntry } from './list-entry.ts';
import { listFilePath, raiseHighWaterMark, readListFile, writeListFile } from './list-file.ts';
import { type ListIndex, scanList } from './list-index.ts';
import { withLock } from './lock.ts';
import { recordId } from './record.ts';

/** Finished tasks that stay in the list. */
const FINISHED_KEPT = 50;
/** Short: the list's lock is held meanwhile, and Claude Code waits at most 3 s for it. */
const LINK_PATIENCE_MS = 200;

/**
 * Removes this project's finished tasks beyond the newest 50, and returns their ids. Only under the list's lock.
 * An entry that cannot be removed now is left to the next time.
 */
export async function prune(folder: Folder, index: ListIndex): Promise<readonly string[]> {
  if (index.finished.size <= FINISHED_KEPT) return [];
  const endOf = (number: number) => index.entries.get(number)?.finishedAt ?? 0;
  const surplus = [...index.finished]
    .sort((left, right) => endOf(right) - endOf(left) || right - left)
    .slice(FINISHED_KEPT);
  await raiseHighWaterMark(folder, Math.max(...surplus));
  const removed: string[] = [];
  for (const number of surplus) {
    const { taskId = null } = index.entries.get(number) ?? {};
    if (!(await removeEntry(folder, number, taskId))) continue;
    index.delete(number);
    if (taskId !== null) removed.push(taskId);
  }
  return removed;
}

/** Removes the entry of a task, unless it holds another one by now. Only under the list's lock. */
async function removeEntry(folder: Folder, number: number, taskId: string | null): Promise<boolean> {
  const file = await readListFile(folder, number);
  if (file === 'missing') return true;
  if (typeof file === 'string' || file.metadata?.orchestration_task_id !== taskId) return false;
  try {
    await unlinkFromNeighbours(folder, file);
    await unlink(listFilePath(folder, number));
    return true;
  } catch {
    return false;
  }
}

/** As Claude Code does when it deletes: an unknown id in `blockedBy` would be shown as a blocker for ever. */
async function unlinkFromNeighbours(folder: Folder, removed: ListTask): Promise<void> {
  const neighbours = new Set([...removed.blocks, ...removed.blockedBy].filter((id) => /^\d+$/.test(id)));
  for (const number of [...neighbours].map(Number)) {
    await withLock(listFilePath(folder, number), LINK_PATIENCE_MS, async () => {
      const file = await readListFile(folder, number);
      if (typeof file !== 'string') {
        writeListFile(folder, number, withoutLinks(file, removed.id));
      }
    });
  }
}

function withoutLinks(task: ListTask, id: string): ListTask {
  return {
    ...task,
    blocks: task.blocks.filter((other) => other !== id),
    blockedBy: task.blockedBy.filter((other) => other !== id),
  };
}

const LOCK_PATIENCE_MS = 12_000;

/** See `ClaudeTasksOptions`. */
interface ListOptions {
  readonly configDir: string;
  readonly list: string;
  readonly project: string;
}

/** Removes the files of tasks from the lists that they were written to. Resolves with the reason when that fails, else null. */
export async function removeFiles(options: ListOptions, tasks: readonly Task[]): Promise<string | null> {
  for (const [list, listed] of Map.groupBy(tasks, listOf)) {
    if (list === null) continue;
    const removed = await removeTasks(
      { ...options, list },
      listed.map(({ id }) => id),
    );
    if (typeof removed === 'string') return removed;
  }
  return null;

  /** Null when it was never written. */
  function listOf(task: Task): string | null {
    return notedEntry(task)?.list ?? (task.sourceMetadata.claude_task_id === undefined ? null : options.list);
  }
}

/**
 * Removes the files of tasks that the store will no longer know: their records, and their entries in the list.
 * Resolves with how many tasks had an entry, or with why the list could not be changed, in words.
 */
export async function removeTasks(
  { configDir, list, project }: ListOptions,
  taskIds: readonly string[],
): Promise<number | string> {
  const tasksDir = join(configDir, 'tasks');
  const path = join(tasksDir, listFolderName(list));
  try {
    for (const id of taskIds) await rm(join(tasksDir, `${recordId(id)}.json`), { force: true });
    if (taskIds.length === 0 || !(await isThere(path))) return 0;
    return await removeEntries(path, project, new Set(taskIds));
  } catch (error) {
    return messageOf(error);
  }
}

async function removeEntries(path: string, project: string, taskIds: ReadonlySet<string>): Promise<number> {
  const folder = await openExistingFolder(path, path);
  try {
    return await withLock(join(folder.path, '.lock'), LOCK_PATIENCE_MS, async () => {
      const { entries } = await scanList(folder, new Map(), project);
      const gone = [...entries].filter(([, { taskId }]) => taskId !== null && taskIds.has(taskId));
      if (gone.length > 0) await raiseHighWaterMark(folder, Math.max(...gone.map(([number]) => number)));
      let removed = 0;
      for (const [number, { taskId }] of gone) {
        if (await removeEntry(folder, number, taskId)) removed += 1;
      }
      return removed;
    });
  } finally {
    await folder.close();
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
