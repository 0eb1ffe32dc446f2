import { removeRunLogs } from '../agents/scheduler/run-task.ts';
import { notFound } from '../errors.ts';
import { suggestion } from '../lib/suggest.ts';
import type { AgentOperations } from '../mcp/backend.ts';
import { commentOnTask } from '../tasks/comments.ts';
import { createTask, type TaskRequest, type TaskSource } from '../tasks/create.ts';
import { type PrunedPart, pruneTasks, type TaskPruneLimits } from '../tasks/prune.ts';
import { repairFiles, type TaskContext } from '../tasks/sync.ts';
import { changeTask, type TaskReport } from '../tasks/transition.ts';
import type { Task } from '../types.ts';
import { isoOrNull, type OutgoingView, outgoingView, type TaskView, taskView } from '../views.ts';
import { fromReport, fromRequest } from './task-request.ts';

/** What users and agents do to a task. */
export const TASK_VERBS = ['start', 'complete', 'fail', 'cancel', 'approve', 'retry', 'ask'] as const;
export type TaskVerb = (typeof TASK_VERBS)[number];

/** Claude's directory, after everything in it was compared with the store. */
interface SyncView {
  /** Null: nothing can be written. */
  readonly list_folder: string | null;
  /** Why nothing can be written; null when all is well. */
  readonly off: string | null;
  readonly tasks: number;
  readonly unsynced: readonly { readonly task_id: string; readonly reason: string }[];
}

/** What `task release` let run. */
interface ReleasedView {
  readonly agent: string;
  readonly tasks: number;
}

/** What changes tasks; see `Operations`. */
export interface TaskOperations extends AgentOperations {
  create(request: TaskRequest, source: TaskSource): Promise<TaskView>;
  change(id: string, verb: TaskVerb, report: TaskReport): Promise<TaskView>;
  /** Lets tasks run that were queued before their agent was configured. Returns how many. Throws `not_found`. */
  release(agent: string): Promise<ReleasedView>;
  sync(): Promise<SyncView>;
  /** Removes ended tasks and all that belongs to them alone; again while there is `more`. */
  prune(limits: TaskPruneLimits): Promise<PrunedPart>;
}

/** Told of what was done. */
interface TaskListener {
  /** A task moved. */
  changed(task: Task): void;
  /** Something is to be posted. */
  said(): void;
}

/** The operations of the process that holds the data folder `where`. */
export function localTaskOperations(
  context: TaskContext,
  where: string,
  { changed, said }: TaskListener,
): TaskOperations {
  const told = (task: Task) => {
    changed(task);
    return taskView(task);
  };
  return {
    create: async (request, source) => told(await createTask(context, request, source, where)),
    change: async (id, verb, report) => told(await changeTask(context, id, verb, report, where)),
    async comment(id, text) {
      const item = await commentOnTask(context, id, text, where);
      said();
      return outgoingView(item);
    },
    listen: (consumer, sinceTask) => context.store.joinEvents(consumer, sinceTask, context.clock.now()),
    ackEvent: (consumer, eventId) => context.store.ackEvent(consumer, eventId),
    async release(agent) {
      const tasks = context.store.backlogs().find((backlog) => backlog.agent === agent)?.tasks ?? 0;
      if (tasks > 0 && (await context.store.releaseBacklog(agent))) return { agent, tasks };
      const held = context.store.backlogs().map((backlog) => backlog.agent);
      throw notFound(
        `no tasks of ${agent} wait for a release`,
        held.length === 0 ? undefined : suggestion(agent, held),
      );
    },
    prune: (limits) =>
      pruneTasks(context, limits, {
        cancel: async ({ id }) =>
          told(await changeTask(context, id, 'cancel', { actor: 'prune', error: 'a sample, pruned' }, where)),
        removed: (runs) => removeRunLogs(where, runs),
      }),
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
    comment: (id, text) => post<OutgoingView>(`/api/tasks/${encodeURIComponent(id)}/comment`, { text }),
    listen: async (consumer, sinceTask) => {
      await post('/api/events/listen', { consumer, since_task_id: sinceTask });
    },
    async ackEvent(consumer, eventId) {
      const { known } = await post<{ known: boolean }>('/api/events/ack', { consumer, event_id: eventId });
      return known;
    },
    release: (agent) => post<ReleasedView>(`/api/agents/${encodeURIComponent(agent)}/release`, {}),
    sync: () => post<SyncView>('/api/sync', {}),
    prune: ({ before, samples }) =>
      post<PrunedPart>('/api/tasks/prune', { before: isoOrNull(before), samples }),
  };
}
