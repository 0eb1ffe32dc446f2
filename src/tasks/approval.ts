import type { StoreReader } from '../store/store.ts';

/** Which task an approval in a thread means, or why none. */
export type Approval =
  | { readonly taskId: string; readonly reason: string }
  | { readonly taskId: null; readonly reason: string };

/**
 * The task that `approve [task id]` means: the named one, or the only one of the flow that waits. One of another flow is
 * not to be approved here: who may command in this thread may not in that one.
 */
export function approvedTask(
  store: Pick<StoreReader, 'tasks' | 'task'>,
  flowId: string,
  named: string | null,
): Approval {
  const waiting = store.tasks({ flowId, status: 'waiting_approval' });
  if (named !== null) return namedTask(store, flowId, named);
  const [only, ...others] = waiting;
  if (only === undefined) return { taskId: null, reason: 'no task of this thread waits for approval' };
  if (others.length > 0) {
    const ids = waiting.map(({ id }) => id).join(', ');
    return { taskId: null, reason: `several tasks wait: name one of ${ids}` };
  }
  return { taskId: only.id, reason: `${only.id} is approved` };
}

function namedTask(store: Pick<StoreReader, 'task'>, flowId: string, id: string): Approval {
  const task = store.task(id);
  if (task?.flowId !== flowId) return { taskId: null, reason: `this thread has no task ${id}` };
  return task.status === 'waiting_approval'
    ? { taskId: id, reason: `${id} is approved` }
    : { taskId: null, reason: `${id} is ${task.status} and does not wait for approval` };
}
