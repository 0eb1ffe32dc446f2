import { failure, notFound } from '../errors.ts';
import type { Task } from '../types.ts';
import type { AgentStore, McpBackend } from './backend.ts';

/** What a run of an agent may touch: its task and what was made below it; of its conversation it may read. */
export interface RunScope {
  readonly runId: string;
  readonly taskId: string;
  readonly conversationId: string;
  readonly agent: string;
  /** Other agents that it may give work to without approval. */
  readonly mayCall: readonly string[];
  /** How long a person is asked for permission; milliseconds. Null when no one is. */
  readonly askPermissionMs: number | null;
}

/** What a call wants of a task. */
type Want = 'read' | 'change';

/** The task that a call names, or the run's own. Throws `usage`, `not_found`, and `not_yours` beyond the scope. */
export async function taskFor(
  backend: McpBackend,
  scope: RunScope | null,
  named: string | undefined,
  want: Want,
): Promise<Task> {
  const id = named ?? scope?.taskId;
  if (id === undefined)
    throw failure('no_task', 'name the task', { fix: 'Give task_id; list_tasks shows them.' });
  const found = await backend.look((store) => {
    const task = store.task(id);
    if (task !== null && !isReadable(task)) throw unread(task);
    return task === null || scope === null ? task : reachable(store, scope, task, want);
  }, null);
  if (found !== null) return found;
  throw notFound(`there is no task ${id}`, 'List them with list_tasks.');
}

/** Whether an agent may read the words of a task: those of an unverified delivery it never may. */
export function isReadable({ trust }: Pick<Task, 'trust'>): boolean {
  return trust !== 'unverified';
}

function unread({ id }: Task): Error {
  return failure(
    'unverified',
    `the delivery of ${id} was not verified, so no agent reads it or works on it`,
    {
      fix: 'Leave it to the people at this machine.',
    },
  );
}

/** Null hides that a task of others exists. Throws `not_yours` where it may be seen and not changed. */
function reachable(store: AgentStore, scope: RunScope, task: Task, want: Want): Task | null {
  if (isBelow(store, scope.taskId, task)) return task;
  if (task.conversationId !== scope.conversationId || task.status === 'waiting_approval') return null;
  if (want === 'read') return task;
  throw failure('not_yours', `${task.id} is not below ${scope.taskId}, which is the task of this run`, {
    fix: 'Change your own task, or make a child of it with create_subtask.',
  });
}

/** Whether a task is this one or a child of it, or a child's child. */
function isBelow(store: Pick<AgentStore, 'task'>, id: string, task: Task): boolean {
  for (let each: Task | null = task; each !== null; each = parentOf(store, each)) {
    if (each.id === id) return true;
  }
  return false;
}

function parentOf(store: Pick<AgentStore, 'task'>, { parentTaskId }: Task): Task | null {
  return parentTaskId === null ? null : store.task(parentTaskId);
}
