import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskReader } from '../../store/tasks.ts';

const RECORD = /^claude-task-(task-[a-z0-9]+)\.json$/;

/** Removes the records of tasks that ended before this moment, epoch milliseconds. Returns how many. */
export async function removeOldRecords(
  tasksFolder: string,
  store: Pick<TaskReader, 'task'>,
  before: number,
): Promise<number> {
  const names = await readdir(tasksFolder).catch(() => []);
  let removed = 0;
  for (const name of names) {
    const taskId = RECORD.exec(name)?.[1];
    if (taskId === undefined || (store.task(taskId)?.completedAt ?? before) >= before) continue;
    await rm(join(tasksFolder, name), { force: true });
    removed += 1;
  }
  return removed;
}
