import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomicNow } from '../../lib/files/atomic-file.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { TaskReader } from '../../store/tasks.ts';
import type { JsonObject, Task, TaskStatus } from '../../types.ts';
import type { Folder } from './folder.ts';

type RecordStatus = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

/** The record of a task, `<config>/tasks/claude-task-<task id>.json`: hookctl's own format, which Claude Code skips. */
interface TaskRecord {
  readonly id: string;
  readonly title: string;
  readonly status: RecordStatus;
  /** Record ids of its parent and of the tasks it waits for. */
  readonly dependencies: readonly string[];
  readonly result: string | null;
  readonly metadata: JsonObject;
}

const RECORD_STATUS: Readonly<Record<TaskStatus, RecordStatus>> = {
  waiting_approval: 'pending',
  queued: 'pending',
  running: 'in_progress',
  waiting_answer: 'pending',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** `claude-task-<task id>`: the record's id, its file name without `.json`, and `source_metadata.claude_task_id`. */
export function recordId(taskId: string): string {
  return `claude-task-${taskId}`;
}

/** Writes a task's record into the tasks folder. Only hookctl writes it, so it needs no lock. */
export function writeRecord(folder: Folder, task: Task, project: string): void {
  const content = JSON.stringify(toRecord(task, project), null, 2);
  writeFileAtomicNow(join(folder.path, `${recordId(task.id)}.json`), content);
}

function toRecord(task: Task, project: string): TaskRecord {
  return {
    id: recordId(task.id),
    title: escapeInvisibleLine(task.title),
    status: RECORD_STATUS[task.status],
    dependencies: [...(task.parentTaskId === null ? [] : [task.parentTaskId]), ...task.dependsOn].map(
      recordId,
    ),
    result: task.result,
    metadata: {
      orchestration_task_id: task.id,
      flow_id: task.flowId,
      conversation_id: task.conversationId,
      initiated_task_id: task.initiatedTaskId,
      parent_task_id: task.parentTaskId,
      state: task.status,
      error: task.error,
      external_id: task.externalId,
      url: task.url,
      agent: task.agent,
      webhook: task.webhook,
      command: task.command,
      delivery_id: task.deliveryId,
      project,
      created_at: new Date(task.createdAt).toISOString(),
      updated_at: new Date(task.updatedAt).toISOString(),
      completed_at: task.completedAt === null ? null : new Date(task.completedAt).toISOString(),
    },
  };
}

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
