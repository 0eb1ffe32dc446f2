import { BUDGET_MS } from '../../store/local/tables/runs.ts';
import type { QueuedTask } from '../../store/runs.ts';
import { separateComment } from '../../tasks/progress.ts';
import { ownText } from '../../types/post-text.ts';
import type { SchedulerContext } from './context.ts';

/**
 * Says that a budget is used up, once within 24 hours for the day and once for each thread, in the thread of the task
 * that was held first. False: it was said already.
 */
export async function giveBudgetNotice(
  { store, ids, clock }: SchedulerContext,
  { id }: QueuedTask,
  { reason, scope }: { readonly reason: string; readonly scope: string },
): Promise<boolean> {
  const task = store.task(id);
  const root = task === null ? null : (store.task(task.initiatedTaskId) ?? task);
  const text = ownText(`✋ ${reason}. What is asked meanwhile is kept and runs when there is budget again.`);
  const at = clock.now();
  const reply = root === null ? null : separateComment(ids, root, text);
  return store.giveNotice({ scope, since: at - BUDGET_MS, at, reply });
}
