import { randomBytes } from 'node:crypto';
import { stripQuoted } from '../lib/text/index.ts';
import type { NewAnswer, StoreReader } from '../store/store.ts';
import type { TaskChange } from '../store/tasks.ts';
import { flowOf } from '../tasks/flows.ts';
import { changeOf } from '../tasks/transition.ts';
import { fence } from '../templates/view.ts';
import type { Decision, Task } from '../types.ts';
import type { EventContext, PipelineContext } from './context.ts';
import { checkTextSender } from './rules/senders.ts';
import { findCall, ownPost, type Steering, steeringCall } from './rules/text-command.ts';

/** Which task an approval in a thread means, or why none. */
type Approval =
  | { readonly taskId: string; readonly reason: string }
  | { readonly taskId: null; readonly reason: string };

/**
 * The task that an approval means: the named one, or the only one of the flow that waits and is older than the approval. One of
 * another flow is not to be approved here: who may command in this thread may not in that one.
 */
function approvedTask(
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
function isMeant({ createdAt }: Pick<Task, 'createdAt'>, { writtenAt }: Steering): boolean {
  if (writtenAt === null) return false;
  return writtenAt + (writtenAt % 1000 === 0 ? 999 : 0) >= createdAt;
}

/** Why a word that names no task means none of these. */
function notMeant(word: string, { writtenAt }: Steering, tasks: readonly Task[]): string {
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

/** What an event's `@agent approve [task id]` comes to. */
interface Approved {
  /** Null: refused, for the reason that the decision tells. */
  readonly taskId: string | null;
  readonly decision: Decision;
}

/** Approves a task that waits in the event's thread. Null when the text asks for no approval. */
export function approved(
  { store }: Pick<PipelineContext, 'store'>,
  { webhook, event, index, delivery }: EventContext,
): Approved | null {
  const call = ownPost(event) === null ? steeringCall(webhook, event, 'approve') : null;
  if (call === null) return null;
  const decide = (taskId: string | null, reason: string): Approved => ({
    taskId,
    decision: {
      event: index,
      eventType: event.type,
      command: 'approve',
      fired: taskId !== null,
      reason,
      taskIds: taskId === null ? [] : [taskId],
      error: null,
    },
  });
  const admission = checkTextSender(webhook.allow, event, delivery.trust);
  // Being no person is enough to be admitted, but an approval is a person's word.
  if (!admission.allowed || event.sender?.kind === 'system') return decide(null, admission.reason);
  if (event.externalId === null) return decide(null, 'the event belongs to no thread');
  const flowId = flowOf(store, { ...event, externalId: event.externalId });
  const { taskId, reason } = approvedTask(store, flowId, call);
  return decide(taskId, `${reason}; ${admission.reason}`);
}

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

/** A question that an event answers, and what is recorded of it. */
interface Answered {
  readonly answer: NewAnswer;
  readonly decision: Decision;
}

/**
 * The next allowed reply in a thread answers the task that waits there (action `ask`), the oldest one first. A text
 * that calls a command by the prefix is a command and no answer.
 */
export function answered(
  { store, snapshot }: Pick<PipelineContext, 'store' | 'snapshot'>,
  occasion: EventContext,
): Answered | null {
  const { webhook, event, index, delivery } = occasion;
  const { text, sender, externalId } = event;
  if (text === null || sender === null || externalId === null || event.textOrigin !== 'created') return null;
  if (
    ownPost(event) !== null ||
    stripQuoted(text, event.textFormat).trim() === '' ||
    !checkTextSender(webhook.allow, event, delivery.trust).allowed
  )
    return null;
  const task = store.openQuestion(flowOf(store, { ...event, externalId }));
  if (task === null) return null;
  // A child is asked about where its root came from.
  const root = store.task(task.initiatedTaskId) ?? task;
  const asking = root.webhook === null ? undefined : snapshot().byName.get(root.webhook);
  // A thread may be told by several webhooks. The one that asked must let the sender answer, too, and neither may find a command.
  if (asking !== undefined && !checkTextSender(asking.allow, event, delivery.trust).allowed) return null;
  const isCommand = [webhook, asking ?? webhook].some(
    (each) => findCall({ ...each, requirePrefix: true }, event).command !== null,
  );
  if (isCommand) return null;
  const nonce = randomBytes(16).toString('hex');
  const inside = fence(text, { source: 'answer', author: sender.name }, nonce);
  return {
    answer: { taskId: task.id, prompt: `\n\nThe answer of ${JSON.stringify(sender.id)}:\n${inside}` },
    decision: {
      event: index,
      eventType: event.type,
      command: task.command ?? 'ask',
      fired: true,
      reason: `${sender.name} answers ${task.id}`,
      taskIds: [task.id],
      error: null,
    },
  };
}
