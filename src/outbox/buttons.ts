import { createHash } from 'node:crypto';
import type { StoreReader } from '../store/store.ts';
import { foreignText, joinTexts, notice, ownText } from '../types/text.ts';
import {
  type ButtonAction,
  type NewOutgoing,
  type Outgoing,
  PERMISSION_AGENT,
  type PostButton,
  type PostText,
  type Task,
  type TaskStatus,
  type Transition,
} from '../types.ts';

/** How long a button counts; a post that is edited has new ones. */
const BUTTON_LIFETIME_MS = 7 * 24 * 3_600_000;

export const BUTTON_LABELS: Readonly<Record<ButtonAction, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  cancel: 'Cancel',
  again: 'Run again',
};

/** What can be decided about a task in this status. */
function actionsAt(status: TaskStatus): readonly ButtonAction[] {
  switch (status) {
    case 'waiting_approval':
      return ['approve', 'reject'];
    case 'queued':
    case 'running':
    case 'waiting_answer':
      return ['cancel'];
    case 'failed':
    case 'cancelled':
      return ['again'];
    case 'completed':
      return [];
    default:
      return status satisfies never;
  }
}

/** What can be decided about a task: what asked for a permission is over when that is decided. */
export function actionsFor({ status, agent }: Pick<Task, 'status' | 'agent'>): readonly ButtonAction[] {
  return agent === PERMISSION_AGENT && status !== 'waiting_approval' ? [] : actionsAt(status);
}

/** Whether tasks in these statuses have the same buttons. */
export function haveSameButtons(left: TaskStatus, right: TaskStatus): boolean {
  return actionsAt(left).join() === actionsAt(right).join();
}

/**
 * A digest of what a button decides about: of a task that starts by it all that an agent gets, and its last end, so that a button
 * does not count after either has changed.
 */
export function digestOf(action: ButtonAction, task: Task): string {
  const { id, title, agent, prompt, trust, completedAt } = task;
  const decided = action === 'cancel' ? [id] : [id, title, agent, prompt, trust, completedAt];
  return createHash('sha256').update(JSON.stringify(decided)).digest('base64url').slice(0, 12);
}

/** The buttons of a post, as the task is now; none where it has moved on since the post was made. */
export function buttonsOf(
  store: Pick<StoreReader, 'task'>,
  { id, buttonsOf: taskId, buttonsAt, createdAt }: Outgoing,
): readonly PostButton[] {
  const task = taskId == null ? null : store.task(taskId);
  if (task === null || buttonsAt == null || !haveSameButtons(buttonsAt, task.status)) return [];
  const expiresAt = expiryOf({ createdAt });
  return actionsFor(task).map((action) => ({
    action,
    label: BUTTON_LABELS[action],
    value: `${id}.${digestOf(action, task)}.${expiresAt}`,
  }));
}

/** When the buttons of a post end; epoch milliseconds in whole seconds. */
export function expiryOf({ createdAt }: Pick<Outgoing, 'createdAt'>): number {
  return Math.floor((createdAt + BUTTON_LIFETIME_MS) / 1000) * 1000;
}

/** An edit of a post that says what was decided, with the buttons that the task has then. */
export function decidedEdit(
  original: Outgoing,
  said: PostText,
  { id, status }: { readonly id: string; readonly status: TaskStatus },
  given: Pick<NewOutgoing, 'id' | 'place'>,
): NewOutgoing {
  const [first = ''] = original.content.split('\n', 1);
  const name = first.includes(id) ? '' : ` \`${id}\``;
  return {
    ...given,
    kind: 'comment',
    content: joinTexts(foreignText(first), ownText('\n'), said, ownText(name)),
    edits: original.edits ?? original.id,
    privateNetwork: false,
    buttonsOf: id,
    buttonsAt: status,
  };
}

/** What people are told about a decision, by the history of its task: `Approved by slack:ada.` */
export function decisionText(
  transitions: readonly Pick<Transition, 'event' | 'from' | 'to' | 'actor' | 'reason'>[],
): PostText {
  const decision = transitions.findLast(
    ({ event, from, to }) => from !== to && (event === 'approve' || event === 'cancel' || event === 'retry'),
  );
  const last = transitions.at(-1)?.to;
  const end = last === 'completed' ? ' Done.' : last === 'failed' ? ' Failed.' : '';
  switch (decision?.event) {
    case 'approve':
      return notice`✅ Approved by ${decision.actor}.${end}`;
    case 'cancel':
      // hookctl itself, because no one answered.
      if (decision.actor === 'mcp' || decision.actor === 'hookctl')
        return notice`🚫 ${decision.reason ?? ''}`;
      return decision.from === 'waiting_approval'
        ? notice`🚫 Rejected by ${decision.actor}.`
        : notice`🚫 Cancelled by ${decision.actor}.`;
    case 'retry':
      return notice`🔁 Run again by ${decision.actor}.${end}`;
    default:
      return ownText(last === undefined ? '' : `It is ${last.replace('_', ' for ')}.`);
  }
}
