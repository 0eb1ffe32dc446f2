import { failure, notFound } from '../errors.ts';
import type { Task, TaskEvent, TaskUsage } from '../types.ts';
import { syncTasks, type TaskContext } from './context.ts';
import { blockersOf } from './dependencies.ts';
import { isEnd, type Step, stepOf } from './lifecycle.ts';
import { progressReply } from './progress.ts';

/** What is told with an event. */
export interface TaskReport {
  /** `cli`, `api`, `claude`. */
  readonly actor: string;
  /** Of a completed task. */
  readonly result?: string | null;
  /** Of a failed task, or why it was cancelled. */
  readonly error?: string | null;
  readonly spent?: Partial<Omit<TaskUsage, 'durationMs'>>;
}

/** The task of an id. `where` names the data folder. Throws `not_found`. */
export function taskNamed({ store }: Pick<TaskContext, 'store'>, id: string, where: string): Task {
  const task = store.task(id);
  if (task !== null) return task;
  throw notFound(`there is no task ${id} in ${where}`, 'List them with `hookctl task list`.');
}

/**
 * Lets an event happen to a task: the step is recorded with its time and actor, and shown in Claude's directory. What
 * is so already changes nothing. Throws `not_found`, and `task_state` when the lifecycle refuses.
 */
export async function changeTask(
  context: TaskContext,
  id: string,
  event: TaskEvent,
  report: TaskReport,
  where: string,
): Promise<Task> {
  for (;;) {
    const task = taskNamed(context, id, where);
    const step = guardedStep(context, task, event);
    if (step.kind === 'unchanged') return task;
    if (step.kind === 'refused') {
      throw failure('task_state', `${id} can't ${event}: ${step.reason}`, {
        fix: `See its history: hookctl task show ${id}`,
      });
    }
    const { result = null, error = null } = report;
    const spent = { costUsd: null, inputTokens: null, outputTokens: null, ...report.spent };
    const progress = { to: step.status, result, error, costUsd: sum(task.usage.costUsd, spent.costUsd) };
    const root = context.store.task(task.initiatedTaskId) ?? task;
    const changed = await context.store.changeTask({
      taskId: id,
      event,
      from: task.status,
      to: step.status,
      isEnd: isEnd(step.status),
      actor: report.actor,
      reason: step.status === 'completed' ? null : error,
      result,
      error,
      spent,
      reply: progressReply(context.ids, task, root, progress),
      at: context.clock.now(),
    });
    // Null: somebody else was quicker, and the step is decided anew from where the task is now.
    if (changed === null) continue;
    const [synced] = await syncTasks(context, [changed]);
    return synced ?? changed;
  }
}

/** The step of an event, with what the task waits for taken into account. */
export function guardedStep({ store }: Pick<TaskContext, 'store'>, task: Task, event: TaskEvent): Step {
  const step = stepOf(task.status, event);
  if (event !== 'start' || step.kind !== 'to') return step;
  const blockers = blockersOf(store, task);
  if (blockers.length === 0) return step;
  const names = blockers.map(({ id, status }) => `${id} (${status})`).join(', ');
  return { kind: 'refused', reason: `it waits for ${names}` };
}

function sum(left: number | null, right: number | null): number | null {
  return left === null ? right : left + (right ?? 0);
}
