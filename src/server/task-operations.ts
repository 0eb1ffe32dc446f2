import { changeTask, type TaskReport } from '../tasks/change.ts';
import type { TaskContext } from '../tasks/context.ts';
import { createTask, type TaskRequest } from '../tasks/create.ts';
import { repairFiles } from '../tasks/repair.ts';
import type { Task } from '../types.ts';
import { type TaskView, taskView } from '../views.ts';
import { fromReport, fromRequest } from './task-request.ts';

/** What users and agents do to a task. */
export const TASK_VERBS = ['start', 'complete', 'fail', 'cancel', 'approve', 'retry'] as const;
export type TaskVerb = (typeof TASK_VERBS)[number];

/** Claude's directory, after everything in it was compared with the store. */
export interface SyncView {
  /** Null: nothing can be written. */
  readonly list_folder: string | null;
  /** Why nothing can be written; null when all is well. */
  readonly off: string | null;
  readonly tasks: number;
  readonly unsynced: readonly { readonly task_id: string; readonly reason: string }[];
}

/** What changes tasks; see `Operations`. */
export interface TaskOperations {
  create(request: TaskRequest, source: 'cli' | 'api'): Promise<TaskView>;
  change(id: string, verb: TaskVerb, report: TaskReport): Promise<TaskView>;
  sync(): Promise<SyncView>;
}

/** The operations of the process that holds the data folder; `changed` is told of every task that moved. */
export function localTaskOperations(
  context: TaskContext,
  where: string,
  changed: (task: Task) => void,
): TaskOperations {
  const told = (task: Task) => {
    changed(task);
    return taskView(task);
  };
  return {
    create: async (request, source) => told(await createTask(context, request, source, where)),
    change: async (id, verb, report) => told(await changeTask(context, id, verb, report, where)),
    async sync() {
      const { state, tasks, unsynced } = await repairFiles(context);
      return {
        list_folder: state.on ? state.listDir : null,
        off: state.on ? null : state.reason,
        tasks,
        unsynced: unsynced.map(({ taskId, reason }) => ({ task_id: taskId, reason })),
      };
    },
  };
}

/** The same through a running server. */
export function remoteTaskOperations(post: <T>(path: string, body: object) => Promise<T>): TaskOperations {
  return {
    create: (request, source) => post<TaskView>('/api/tasks', fromRequest(request, source)),
    change: (id, verb, report) =>
      post<TaskView>(`/api/tasks/${encodeURIComponent(id)}/${verb}`, fromReport(report)),
    sync: () => post<SyncView>('/api/sync', {}),
  };
}
