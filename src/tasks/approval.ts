import type { StoreReader } from '../store/store.ts';
import type { Task } from '../types.ts';

/** Which task an approval in a thread means, or why none. */
type Approval =
  | { readonly taskId: string; readonly reason: string }
  | { readonly taskId: null; readonly reason: string };

/** What `approve [task id]` or `stop [task id]` says. */
export interface Steering {
  /** The task that it names. */
  readonly taskId: string | null;
  /** When it was written, in epoch milliseconds; null where the payload does not say. */
  readonly writtenAt: number | null;
}

/**
 * The task that an approval means: the named one, or the only one of the flow that waits and is older than the approval. One of
 * another flow is not to be approved here: who may command in this thread may not in that one.
 */
export function approvedTask(
  store: Pick<StoreReader, 'tasks' | 'task'>,
  flowId: string,
  steering: Steering,
): Approval {
  if (steering.taskId !== null) return namedTask(store, flowId, steering.taskId);
  const waiting = store.tasks({ flowId, status: 'waiting_approval' });
  if (waiting.length === 0) return { taskId: null, reason: 'no task of this thread waits for approval' };
  const meant = waiting.filter((task) => isMeant(task, steering));
  const [only, ...others] = meant;
  if (only === undefined) return { taskId: null, reason: notMeant('approve', steering, waiting) };
  if (others.length > 0) {
    const ids = meant.map(({ id }) => id).join(', ');
    return { taskId: null, reason: `several tasks wait: name one of ${ids}` };
  }
  return { taskId: only.id, reason: `${only.id} is approved` };
}

/**
 * Whether a word that names no task can mean this one: it was written after the task was made. An old comment that is sent
 * again decides nothing. Providers that tell whole seconds mean any moment of theirs.
 */
export function isMeant({ createdAt }: Pick<Task, 'createdAt'>, { writtenAt }: Steering): boolean {
  if (writtenAt === null) return false;
  return writtenAt + (writtenAt % 1000 === 0 ? 999 : 0) >= createdAt;
}

/** Why a word that names no task means none of these. */
export function notMeant(word: string, { writtenAt }: Steering, tasks: readonly Task[]): string {
  const why =
    writtenAt === null
      ? 'the payload does not say when this was written'
      : 'this was written before the task was made';
  return `${why}: name the task, \`${word} ${tasks[0]?.id ?? ''}\``;
}

function namedTask(store: Pick<StoreReader, 'task'>, flowId: string, id: string): Approval {
  const task = store.task(id);
  if (task?.flowId !== flowId) return { taskId: null, reason: `this thread has no task ${id}` };
  return task.status === 'waiting_approval'
    ? { taskId: id, reason: `${id} is approved` }
    : { taskId: null, reason: `${id} is ${task.status} and does not wait for approval` };
}
