import { join } from 'node:path';
import type { Task } from '../../types.ts';
import type { Folder } from './folder.ts';
import { readListFile } from './list-file.ts';
import { statusByOthers } from './list-task.ts';

/**
 * Who has taken a task in the list, in words: somebody who stands there as its owner, or a session that set its status.
 * Null: nobody, or it has no entry. Read from the disk: it may be newer than what was read back.
 */
export async function claimantOf(tasksDir: string, list: string, task: Task): Promise<string | null> {
  const place = task.sourceMetadata.claude_list as { list?: unknown; number?: unknown } | undefined;
  if (place?.list !== list || !Number.isSafeInteger(place.number)) return null;
  const path = join(tasksDir, list);
  const folder: Folder = {
    path,
    name: path,
    assertInPlace: async () => undefined,
    close: async () => undefined,
  };
  const entry = await readListFile(folder, Number(place.number));
  if (typeof entry === 'string' || entry.metadata?.orchestration_task_id !== task.id) return null;
  const status = statusByOthers(entry);
  if (status === 'in_progress' || status === 'completed') return entry.owner ?? 'a session';
  return entry.owner ?? null;
}
