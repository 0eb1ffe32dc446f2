import type { TaskChange } from '../../store/tasks.ts';
import { isMeant, notMeant, type Steering } from '../../tasks/approval.ts';
import { changeOf } from '../../tasks/change.ts';
import { flowOf } from '../../tasks/flows.ts';
import type { Decision, Task } from '../../types.ts';
import type { PipelineContext } from '../context.ts';
import type { EventContext } from '../event-context.ts';
import { checkTextSender } from '../rules/senders.ts';
import { ownPost, steeringCall } from '../rules/text-command.ts';

/** What an event's `@agent stop [task id]` comes to. */
interface Stopped {
  /** Steps that cancel tasks; none: refused, for the reason that the decision tells. */
  readonly changes: readonly TaskChange[];
  readonly decision: Decision;
}

/** Of one thread; a second stop gets the others. */
const MOST = 500;

type StopContext = Pick<PipelineContext, 'store' | 'ids' | 'clock'>;

/**
 * Cancels what is worked on or queued in the event's thread, or the task that is named: with a task its run ends. Null
 * when the text asks for no stop. A child in the same thread stops as well; what waits for a person stays.
 */
export function stopped(context: StopContext, occasion: EventContext): Stopped | null {
  const { webhook, event, index, delivery } = occasion;
  const call = ownPost(event) === null ? steeringCall(webhook, event, 'stop') : null;
  if (call === null) return null;
  const decide = (tasks: readonly Task[], reason: string): Stopped => ({
    changes: tasks.map((task) => cancelOf(context, occasion, task)),
    decision: {
      event: index,
      eventType: event.type,
      command: 'stop',
      fired: tasks.length > 0,
      reason,
      taskIds: tasks.map(({ id }) => id),
      error: null,
    },
  });
  const admission = checkTextSender(webhook.allow, event, delivery.trust);
  if (!admission.allowed || event.sender?.kind === 'system') return decide([], admission.reason);
  if (event.externalId === null) return decide([], 'the event belongs to no thread');
  const flowId = flowOf(context.store, { ...event, externalId: event.externalId });
  const tasks = stoppable(context, flowId, call);
  if (typeof tasks === 'string') return decide([], tasks);
  return decide(tasks, `${tasks.map(({ id }) => id).join(', ')} stopped; ${admission.reason}`);
}

/** The tasks that a stop in this thread means; or why there are none. */
function stoppable(
  { store }: Pick<StopContext, 'store'>,
  flowId: string,
  steering: Steering,
): readonly Task[] | string {
  const named = steering.taskId;
  if (named !== null) {
    const task = store.task(named);
    if (task?.flowId !== flowId) return `this thread has no task ${named}`;
    return isStoppable(task) ? [task] : `${named} is ${task.status}: nothing runs there`;
  }
  const tasks = (['running', 'queued'] as const).flatMap((status) =>
    store.tasks({ flowId, status, limit: MOST }),
  );
  if (tasks.length === 0) return 'nothing runs or is queued in this thread';
  const meant = tasks.filter((task) => isMeant(task, steering));
  return meant.length === 0 ? notMeant('stop', steering, tasks) : meant;
}

function isStoppable({ status }: Task): boolean {
  return status === 'running' || status === 'queued';
}

function cancelOf(context: StopContext, { delivery, event }: EventContext, task: Task): TaskChange {
  const actor = `${delivery.provider}:${event.sender?.name ?? 'somebody'}`;
  const step = { event: 'cancel', to: 'cancelled' } as const;
  return changeOf(context, task, step, { actor, error: 'It was stopped in its thread.' });
}
