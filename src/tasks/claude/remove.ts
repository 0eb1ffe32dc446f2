import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Task } from '../../types.ts';
import { listFolderName } from './config-dir.ts';
import { openFolder } from './folder.ts';
import { raiseHighWaterMark } from './list-file.ts';
import { withLock } from './lock.ts';
import { removeEntry } from './prune.ts';
import { recordId } from './record.ts';
import { scanList } from './scan.ts';

const LOCK_PATIENCE_MS = 12_000;

/** See `ClaudeTasksOptions`. */
interface ListOptions {
  readonly configDir: string;
  readonly list: string;
  readonly project: string;
}

/** Removes the files of tasks from the lists that they were written to. Resolves with why that failed, in words; null: it is done. */
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
  function listOf({ sourceMetadata: { claude_list: entry, claude_task_id: record } }: Task): string | null {
    const { list } = (entry ?? {}) as { readonly list?: unknown };
    if (typeof list === 'string' && list !== '') return list;
    return record === undefined ? null : options.list;
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
  const folder = await openFolder(path, path);
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
