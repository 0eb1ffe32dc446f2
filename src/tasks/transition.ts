import { failure, type HookctlError, usageError } from '../errors.ts';
import { escapeInvisible } from '../lib/text/escape-invisible.ts';
import type { TaskChange } from '../store/tasks.ts';
import type { Task, TaskEvent, TaskUsage } from '../types.ts';
import { progressReply } from './comments.ts';
import { blockersOf, isEnd, type Step, stepOf, taskNamed } from './lifecycle.ts';
import { syncTasks, type TaskContext } from './sync.ts';

/** Why no agent works on a task with words of an unverified delivery. */
export const NOT_VERIFIED = 'its delivery was not verified';

/** Who caused an event, and what they reported. */
export interface TaskReport {
  /** `cli`, `api`, `claude`. */
  readonly actor: string;
  /** Of a completed task. */
  readonly result?: string | null;
  /** Of a failed task, or why it was cancelled. */
  readonly error?: string | null;
  /** Of a task that asks. */
  readonly question?: string | null;
  /** Of a task that asked: what a person answers. */
  readonly answer?: string | null;
  readonly spent?: Partial<Omit<TaskUsage, 'durationMs'>>;
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
    if (event === 'answer' && (report.answer ?? '').trim() === '') throw usageError('there is no answer');
    const change = changeOf(context, task, { event, to: step.status }, report);
    if (event === 'ask' && change.reply === null) throw noThreadToAsk(task, report.question ?? null);
    const changed = await context.store.changeTask(change);
    // Null when the task moved meanwhile: the step is decided anew from its status now.
    if (changed === null) continue;
    const [synced] = await syncTasks(context, [changed]);
    return synced ?? changed;
  }
}

/** A step that the lifecycle allows, as the store takes it, with what is told about it where the task came from. */
export function changeOf(
  { store, ids, clock }: Pick<TaskContext, 'store' | 'ids' | 'clock'>,
  task: Task,
  { event, to }: Pick<TaskChange, 'event' | 'to'>,
  { actor, result = null, error = null, question = null, answer = null, spent: told }: TaskReport,
): TaskChange {
  const spent = { costUsd: null, inputTokens: null, outputTokens: null, ...told };
  const costUsd = sum(task.usage.costUsd, spent.costUsd);
  const root = store.task(task.initiatedTaskId) ?? task;
  return {
    taskId: task.id,
    event,
    from: task.status,
    to,
    isEnd: isEnd(to),
    actor,
    reason: to === 'completed' ? null : (question ?? error),
    result,
    error,
    // A person who may manage tasks writes prompts, too: nothing of it is from outside.
    ...(event === 'answer' && answer !== null && { prompt: `\n\nThe answer:\n${escapeInvisible(answer)}` }),
    spent,
    reply: progressReply(ids, task, root, { to, actor, result, error, question, costUsd }),
    at: clock.now(),
  };
}

function noThreadToAsk({ id }: Task, question: string | null): HookctlError {
  if ((question ?? '').trim() === '') return usageError('there is no question');
  return failure(
    'no_thread',
    `there is no thread to ask about ${id} in: it came from none that hookctl may post to`,
    {
      fix: 'Decide it yourself and say so in the result, or fail the task with the question.',
    },
  );
}

/** The step of an event, with what the task waits for taken into account. */
export function guardedStep({ store }: Pick<TaskContext, 'store'>, task: Task, event: TaskEvent): Step {
  const step = stepOf(task.status, event);
  if (event !== 'start' || step.kind !== 'to') return step;
  if (task.trust === 'unverified') {
    return { kind: 'refused', reason: `${NOT_VERIFIED}, so no agent works on it` };
  }
  const blockers = blockersOf(store, task);
  if (blockers.length === 0) return step;
  const names = blockers.map(({ id, status }) => `${id} (${status})`).join(', ');
  return { kind: 'refused', reason: `it waits for ${names}` };
}

function sum(left: number | null, right: number | null): number | null {
  return left === null ? right : left + (right ?? 0);
}
