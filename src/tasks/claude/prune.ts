import { unlink } from 'node:fs/promises';
import type { Folder } from './folder.ts';
import { listFilePath, raiseHighWaterMark, readListFile, writeListFile } from './list-file.ts';
import type { ListTask } from './list-task.ts';
import { withLock } from './lock.ts';
import type { Entries } from './scan.ts';

/** Finished tasks that stay in the list. */
const FINISHED_KEPT = 50;
/** Short: the list's lock is held meanwhile, and Claude Code waits for that no longer than 3 s. */
const LINK_PATIENCE_MS = 200;

/**
 * Removes this project's finished tasks beyond the newest 50 and returns what is left. Only under the list's lock.
 * An entry that cannot be removed now is left to the next time.
 */
export async function prune(folder: Folder, entries: Entries): Promise<Entries> {
  const surplus = [...entries]
    .filter(([, { finishedAt }]) => finishedAt !== null)
    .sort(([a, left], [b, right]) => (right.finishedAt ?? 0) - (left.finishedAt ?? 0) || b - a)
    .slice(FINISHED_KEPT);
  if (surplus.length === 0) return entries;

  const left = new Map(entries);
  await raiseHighWaterMark(folder, Math.max(...surplus.map(([number]) => number)));
  for (const [number, { taskId }] of surplus) {
    if (await removeEntry(folder, number, taskId)) left.delete(number);
  }
  return left;
}

/** Removes the entry of a task, unless it is somebody else's by now. Only under the list's lock. */
export async function removeEntry(folder: Folder, number: number, taskId: string | null): Promise<boolean> {
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
        await writeListFile(folder, number, withoutLinks(file, removed.id));
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
