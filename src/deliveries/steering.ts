import { randomBytes } from 'node:crypto';
import { stripQuoted } from '../lib/text/index.ts';
import type { Effect } from '../store/store.ts';
import { flowsTogether } from '../tasks/flows.ts';
import { changeOf } from '../tasks/transition.ts';
import { fence } from '../templates/view.ts';
import type { Decision, Task, TaskStatus } from '../types.ts';
import { press } from './buttons/press.ts';
import type { EventContext, PipelineContext } from './context.ts';
import { joinOf, namedSubject } from './links/joins.ts';
import { checkTextSender, heldByTrust } from './rules/senders.ts';
import { findCall, linkCall, ownPost, type Steering, steeringCall } from './rules/text-command.ts';

/** What an event's text does to tasks of its thread. */
interface Steered {
  /** Fired: the effects were found. Otherwise it tells why the text was refused. */
  readonly decision: Decision;
  readonly effects: readonly Effect[];
}

type SteeringContext = Pick<PipelineContext, 'store' | 'snapshot' | 'clock' | 'repositories'>;

/** Null when the text does not ask for what the handler does. */
type Handler = (context: SteeringContext, eventContext: EventContext) => Steered | null;

/** A reserved word at the beginning of a text, `@agent approve [task id]`, and what it does to tasks of the thread. */
interface SteeringWord {
  readonly word: 'approve' | 'stop';
  /** The statuses of tasks that it can mean. */
  readonly statuses: readonly TaskStatus[];
  /** True: a text that names no task means one only where there is one. */
  readonly isForOne: boolean;
  /** True: work begins by it, so that a delivery counts only if it may cause work by itself. */
  readonly lets: boolean;
  readonly effect: (context: SteeringContext, eventContext: EventContext, task: Task) => Effect;
  /** Behind the ids of the tasks that it changed. */
  readonly done: string;
  /** Why it means no task of the thread; behind the status of the task that it names. */
  readonly none: string;
  readonly notNow: string;
}

const APPROVE: SteeringWord = {
  word: 'approve',
  statuses: ['waiting_approval'],
  isForOne: true,
  lets: true,
  effect: (_, __, { id: taskId }) => ({ kind: 'approve', taskId }),
  done: 'is approved',
  none: 'no task of this thread waits for approval',
  notNow: ' and does not wait for approval',
};

/** With a task its run ends. A child in the same thread stops as well; what waits for a person stays. */
const STOP: SteeringWord = {
  word: 'stop',
  statuses: ['running', 'queued'],
  isForOne: false,
  lets: false,
  effect: cancel,
  done: 'stopped',
  none: 'nothing runs or is queued in this thread',
  notNow: ': nothing runs there',
};

/** The first that applies decides. */
const HANDLERS: readonly Handler[] = [
  press,
  (context, eventContext) => followWord(APPROVE, context, eventContext),
  (context, eventContext) => followWord(STOP, context, eventContext),
  link,
  answer,
];

/** Tasks of one thread that a text changes at once; a second one gets the others. */
const MOST = 500;

/** Lets a text approve, stop or answer tasks of its thread. Null when it does none of these: it may be a command. */
export function steer(context: SteeringContext, eventContext: EventContext): Steered | null {
  for (const handler of HANDLERS) {
    const steered = handler(context, eventContext);
    if (steered !== null) return steered;
  }
  return null;
}

function followWord(row: SteeringWord, context: SteeringContext, eventContext: EventContext): Steered | null {
  const { webhook, event, delivery } = eventContext;
  const call = ownPost(event) === null ? steeringCall(webhook, event, row.word) : null;
  if (call === null) return null;
  const decided = (tasks: readonly Task[], reason: string): Steered => ({
    decision: decisionOf(eventContext, row.word, tasks, reason),
    effects: tasks.map((task) => row.effect(context, eventContext, task)),
  });
  const check = checkTextSender(webhook.allow, event, delivery.trust);
  // A system sender may command, but only a person approves and stops.
  if (!check.allowed || event.sender?.kind === 'system') return decided([], check.reason);
  const held = row.lets ? heldByTrust(webhook, delivery.trust) : null;
  if (held !== null) return decided([], held);
  if (event.externalId === null) return decided([], 'the event belongs to no thread');
  const { flowId, names } = eventContext.subject();
  const thread = { flowIds: flowsTogether(context.store, flowId), externalId: names.externalId };
  const tasks = findTasks(row, context, thread, call);
  if (typeof tasks === 'string') return decided([], tasks);
  return decided(tasks, `${idsOf(tasks)} ${row.done}; ${check.reason}`);
}

/**
 * The tasks that a text means, or why none: the named one, or those of the flow that are older than the text. A task of another
 * flow is not changed here: who may command in this thread may not in that one.
 */
function findTasks(
  { word, statuses, isForOne, none, notNow }: SteeringWord,
  { store }: SteeringContext,
  { flowIds, externalId }: { readonly flowIds: readonly string[]; readonly externalId: string },
  steering: Steering,
): readonly Task[] | string {
  const { taskId } = steering;
  if (taskId !== null) {
    const task = store.task(taskId);
    // A task that was asked for here stays of this thread, also when the flows are no longer joined.
    if (task === null || (!flowIds.includes(task.flowId) && task.externalId !== externalId))
      return `this thread has no task ${taskId}`;
    return statuses.includes(task.status) ? [task] : `${taskId} is ${task.status}${notNow}`;
  }
  const tasks = statuses
    .flatMap((status) => flowIds.flatMap((flowId) => store.tasks({ flowId, status, limit: MOST })))
    .slice(0, MOST);
  if (tasks.length === 0) return none;
  const meant = tasks.filter((task) => isMeant(task, steering));
  if (meant.length === 0) return notMeant(word, steering, tasks);
  return isForOne && meant.length > 1 ? `several tasks wait: name one of ${idsOf(meant)}` : meant;
}

/**
 * Whether a text that names no task can mean this one: it was written after the task was made. An old comment that is sent
 * again decides nothing. Providers that tell whole seconds mean any moment of theirs.
 */
function isMeant({ createdAt }: Task, { writtenAt }: Steering): boolean {
  if (writtenAt === null) return false;
  return writtenAt + (writtenAt % 1000 === 0 ? 999 : 0) >= createdAt;
}

function notMeant(word: string, { writtenAt }: Steering, tasks: readonly Task[]): string {
  const why =
    writtenAt === null
      ? 'the payload does not say when this was written'
      : 'this was written before the task was made';
  return `${why}: name the task, \`${word} ${tasks[0]?.id ?? ''}\``;
}

/** `@agent link <address>` joins the flow of the thread with that of what the address names. */
function link(context: SteeringContext, eventContext: EventContext): Steered | null {
  const { webhook, event, delivery } = eventContext;
  const named = ownPost(event) === null ? linkCall(webhook, event) : null;
  if (named === null) return null;
  const said = (reason: string, effects: readonly Effect[] = []): Steered => ({
    decision: { ...decisionOf(eventContext, 'link', [], reason), fired: effects.length > 0 },
    effects,
  });
  const check = checkTextSender(webhook.allow, event, delivery.trust);
  if (!check.allowed || event.sender?.kind === 'system') return said(check.reason);
  const held = heldByTrust(webhook, delivery.trust);
  if (held !== null) return said(held);
  if (event.externalId === null) return said('the event belongs to no thread');
  const names = namedSubject(context, delivery.owner, event, named);
  if (names === null) {
    return said(
      `${named === '' ? 'nothing' : `\`${named}\``} is no address of an issue, pull request, ticket or thread: write \`${webhook.commandPrefix} link https://…\``,
    );
  }
  const join = joinOf(context.store, eventContext, names, { reason: `link ${named}`, isAsked: true });
  if (join.flows[0].flowId === join.flows[1].flowId) return said(`${names.externalId} is this thread itself`);
  return said(`${event.externalId} and ${names.externalId} are one flow; ${check.reason}`, [
    { kind: 'join', join },
  ]);
}

function cancel(
  { store, clock }: SteeringContext,
  { delivery, event, ids, index }: EventContext,
  task: Task,
): Effect {
  const actor = `${delivery.provider}:${event.sender?.name ?? 'somebody'}`;
  const step = { event: 'cancel', to: 'cancelled' } as const;
  const change = changeOf({ store, clock, ids: ids(index, '@stop') }, task, step, {
    actor,
    error: 'It was stopped in its thread.',
  });
  return { kind: 'stop', change };
}

/**
 * The next allowed reply in a thread answers the task that waits there (action `ask`), the oldest one first. A text
 * that calls a command by the prefix is a command and no answer.
 */
function answer({ store, snapshot }: SteeringContext, eventContext: EventContext): Steered | null {
  const { webhook, event, delivery } = eventContext;
  const { text, sender, externalId } = event;
  if (text === null || sender === null || externalId === null || event.textOrigin !== 'created') return null;
  if (
    ownPost(event) !== null ||
    stripQuoted(text, event.textFormat).trim() === '' ||
    !checkTextSender(webhook.allow, event, delivery.trust).allowed
  )
    return null;
  const [task] = flowsTogether(store, eventContext.subject().flowId)
    .flatMap((flowId) => store.openQuestion(flowId) ?? [])
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  if (task === undefined) return null;
  // A child is asked about where its root came from.
  const root = store.task(task.initiatedTaskId) ?? task;
  const asking = root.webhook === null ? undefined : snapshot().byName.get(root.webhook);
  // Several webhooks may hear of a thread. The one that asked must let the sender answer, too, and neither may find a command.
  if (asking !== undefined && !checkTextSender(asking.allow, event, delivery.trust).allowed) return null;
  const isCommand = [webhook, asking ?? webhook].some(
    (each) => findCall({ ...each, requirePrefix: true }, event).command !== null,
  );
  if (isCommand) return null;
  const held = [webhook, asking ?? webhook].map((each) => heldByTrust(each, delivery.trust)).find(Boolean);
  if (held != null)
    return {
      decision: decisionOf(eventContext, task.command ?? 'ask', [], `no answer to ${task.id}: ${held}`),
      effects: [],
    };
  const nonce = randomBytes(16).toString('hex');
  const inside = fence(text, { source: 'answer', author: sender.name }, nonce);
  const prompt = `\n\nThe answer of ${JSON.stringify(sender.id)}:\n${inside}`;
  return {
    decision: decisionOf(eventContext, task.command ?? 'ask', [task], `${sender.name} answers ${task.id}`),
    effects: [{ kind: 'answer', taskId: task.id, prompt }],
  };
}

function decisionOf(
  { event, index }: EventContext,
  command: string,
  tasks: readonly Task[],
  reason: string,
): Decision {
  return {
    event: index,
    eventType: event.type,
    command,
    fired: tasks.length > 0,
    reason,
    taskIds: tasks.map(({ id }) => id),
    error: null,
  };
}

function idsOf(tasks: readonly Task[]): string {
  return tasks.map(({ id }) => id).join(', ');
}
