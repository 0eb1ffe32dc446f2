import { actionsFor, decidedEdit, decisionText, digestOf, expiryOf } from '../../outbox/buttons.ts';
import type { Effect, StoreReader } from '../../store/store.ts';
import type { TaskChange } from '../../store/tasks.ts';
import { changeOf } from '../../tasks/transition.ts';
import {
  type ButtonAction,
  type Decision,
  OPERATOR,
  type Outgoing,
  type PressedButton,
  type Task,
  type TaskStatus,
} from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';
import { checkTextSender, heldByTrust } from '../rules/senders.ts';

type PressContext = Pick<PipelineContext, 'store' | 'clock'>;

/** What a click did: the decision to record, and what it changes. */
interface Pressed {
  readonly decision: Decision;
  readonly effects: readonly Effect[];
}

/** A button where hookctl showed it, and the task that it decides about. */
interface Shown {
  readonly task: Task;
  /** Null for a check, which follows its task by itself. */
  readonly post: Outgoing | null;
}

const STEPS: Readonly<
  Record<ButtonAction, Pick<TaskChange, 'event' | 'to'> & { readonly lets: boolean; readonly done: string }>
> = {
  approve: { event: 'approve', to: 'queued', lets: true, done: 'is approved' },
  reject: { event: 'cancel', to: 'cancelled', lets: false, done: 'is rejected' },
  cancel: { event: 'cancel', to: 'cancelled', lets: false, done: 'is cancelled' },
  again: { event: 'retry', to: 'queued', lets: true, done: 'is queued again' },
};

/**
 * A click on a button of hookctl's, wherever it was: it decides only where the sender may command, on the post or check that
 * hookctl itself made, before that is over, and while all that it decides about is as it was shown. The first one counts. Why
 * another one does not is in the delivery's record alone.
 */
export function press(context: PressContext, eventContext: EventContext): Pressed | null {
  const { webhook, event, delivery, index } = eventContext;
  const { button, sender } = event;
  if (button === undefined) return null;
  const decided = (
    reason: string,
    tasks: readonly Task[] = [],
    effects: readonly Effect[] = [],
  ): Pressed => ({
    decision: {
      event: index,
      eventType: event.type,
      command: button.action,
      fired: effects.length > 0,
      reason,
      taskIds: tasks.map(({ id }) => id),
      error: null,
    },
    effects,
  });
  const check = checkTextSender(webhook.allow, event, delivery.trust);
  if (!check.allowed) return decided(check.reason);
  if (sender?.kind !== 'person') return decided('only a person decides by a button');
  const shown = findShown(context, eventContext, button);
  if (typeof shown === 'string') return decided(shown);
  const { task } = shown;
  const { lets, done } = STEPS[button.action];
  const held = lets ? heldByTrust(webhook, delivery.trust) : null;
  if (held !== null) return decided(held);
  const refused = whyNotNow(context, button, shown);
  if (refused !== null) return decided(refused);
  return decided(
    `${task.id} ${done}; ${check.reason}`,
    [task],
    effectsOf(context, eventContext, button, shown),
  );
}

/** The id of the task that a button decides about; null when there is no such button. */
export function decidedTask(store: Pick<StoreReader, 'outgoing'>, { on }: PressedButton): string | null {
  return 'check' in on ? on.check : (store.outgoing(on.post)?.buttonsOf ?? null);
}

/** The button as hookctl showed it; otherwise the reason why the press is refused. */
function findShown(
  { store }: PressContext,
  { provider, event, delivery }: EventContext,
  button: PressedButton,
): Shown | string {
  const taskId = decidedTask(store, button);
  const task = taskId === null ? null : store.task(taskId);
  // Who signs for one owner's webhook decides about no other owner's task.
  if (task === null || (delivery.owner !== OPERATOR && delivery.owner !== task.owner))
    return 'the button belongs to no task of this hookctl';
  if ('check' in button.on) {
    return store.taskCheck(task.id)?.remoteId === button.remoteId
      ? { task, post: null }
      : 'the button is not on the check that hookctl made for this task';
  }
  const post = store.outgoing(button.on.post);
  const original = post?.edits == null ? post : store.outgoing(post.edits);
  if (post === null || original === null || post.provider !== provider.name)
    return 'the button belongs to no post of this hookctl';
  const answered = post.deliveryId === null ? null : store.delivery(post.deliveryId);
  if (answered !== null && answered.webhook !== delivery.webhook)
    return `the button was posted by the webhook ${answered.webhook}`;
  if (original.remoteId === null && (post.status === 'waiting' || original.status === 'waiting')) {
    // The answer to the post has not come yet: the click is tried again.
    throw new Error(`${original.id} is being posted`);
  }
  const isThere =
    original.remoteId !== null &&
    provider.reply?.isPost?.(original.place, original.remoteId, button.remoteId) === true;
  if (!isThere)
    return `the button was copied: ${event.externalId ?? 'this place'} does not hold ${original.id}`;
  return { task, post };
}

/** Why a button that is hookctl's does not count now. Null when it does. */
function whyNotNow(
  { store, clock }: PressContext,
  button: PressedButton,
  { task, post }: Shown,
): string | null {
  const { action, digest, expiresAt } = button;
  if (post !== null && expiresAt !== expiryOf(post))
    return 'the button names another end than it was posted with';
  if (expiresAt !== null && clock.now() >= expiresAt) {
    return `the button was over ${new Date(expiresAt).toISOString()}; \`hookctl task ${VERBS[action]} ${task.id}\` decides`;
  }
  if (!actionsFor(task).includes(action))
    return `${task.id} is ${statusWords(task.status)}${whoDecided(store, task)}`;
  return digest === digestOf(action, task)
    ? null
    : `${task.id} is no longer what the button was shown for: look at it with \`hookctl task show ${task.id}\``;
}

const VERBS: Readonly<Record<ButtonAction, string>> = {
  approve: 'approve',
  reject: 'cancel',
  cancel: 'cancel',
  again: 'retry',
};

function statusWords(status: TaskStatus): string {
  return status.replace('_', ' for ');
}

/** Who came first, for those who came later. */
function whoDecided(store: Pick<StoreReader, 'transitions'>, { id }: Task): string {
  const last = store
    .transitions(id)
    .findLast(({ event }) => event === 'approve' || event === 'cancel' || event === 'retry');
  return last === undefined ? '' : `: ${last.actor} came first (${last.event})`;
}

/** The step of the task, and the post on which the button was with who pressed it in place of the buttons. */
function effectsOf(
  { store, clock }: PressContext,
  { delivery, event, ids, index, provider }: EventContext,
  { action }: PressedButton,
  { task, post }: Shown,
): readonly Effect[] {
  const actor = `${delivery.provider}:${event.sender?.name ?? 'somebody'}`;
  const { event: step, to } = STEPS[action];
  const made = ids(index, '@button');
  // Agents read it: the name of a person is in the history alone.
  const error = action === 'reject' ? 'It was rejected.' : 'It was cancelled by a button.';
  const change = changeOf(
    { store, clock, ids: made },
    task,
    { event: step, to },
    { actor, ...(step === 'cancel' && { error }) },
  );
  const { reply } = change;
  // The click may bring a better way to the post than the thread has (Discord's tokens end).
  const place = post === null ? null : (provider.reply?.place(event) ?? null);
  // What the step itself says in the same post takes its place.
  if (reply !== null && post !== null && place !== null && reply.item.edits === (post.edits ?? post.id)) {
    return [{ kind: 'stop', change: { ...change, reply: { ...reply, item: { ...reply.item, place } } } }];
  }
  const said = decisionText([{ event: step, from: task.status, to, actor, reason: null }]);
  return [
    action === 'approve' ? { kind: 'approve', taskId: task.id } : { kind: 'stop', change },
    ...(post === null || place === null
      ? []
      : [
          {
            kind: 'post' as const,
            item: decidedEdit(post, said, { id: task.id, status: to }, { id: made.next('out'), place }),
          },
        ]),
  ];
}
