import { failure, usageError } from '../errors.ts';
import type { IdSource } from '../lib/ids.ts';
import { cutAtSentence } from '../lib/text/cut.ts';
import { escapeInvisible, unlinked } from '../lib/text/escape-invisible.ts';
import type { TaskReply } from '../store/tasks.ts';
import { foreignText, joinTexts, notice, ownText } from '../types/text.ts';
import {
  type JsonObject,
  type NewOutgoing,
  type Outgoing,
  PERMISSION_AGENT,
  type PostText,
  type Task,
  type TaskStatus,
  type ThreadRef,
} from '../types.ts';
import { taskNamed } from './lifecycle.ts';
import type { TaskContext } from './sync.ts';

/** Longest result and error in a comment, in characters. */
const RESULT_LENGTH = 4_000;
const ERROR_LENGTH = 8_000;

/** A step of a task, and what its comment says. */
interface Progress {
  readonly to: TaskStatus;
  /** Who caused it: `slack:ada`, `cli`. */
  readonly actor: string;
  readonly result: string | null;
  readonly error: string | null;
  /** What the agent wants to know, of a task that waits for an answer then. */
  readonly question: string | null;
  /** Of all runs together. Null when no run said. */
  readonly costUsd: number | null;
}

/**
 * What goes back to where a task came from: one comment for each task, made when it starts and edited as it moves on;
 * where comments cannot be edited, one when it ends. Null when there is nothing to say, or no thread to answer. A child
 * is answered where its root came from.
 */
export function progressReply(ids: IdSource, task: Task, root: Task, progress: Progress): TaskReply | null {
  const reply =
    task.trust === 'unverified' ? undefined : (root.sourceMetadata.reply as JsonObject | undefined);
  // The question itself follows its task, and says who decided.
  const text = task.agent === PERMISSION_AGENT ? null : textOf(task, progress);
  if (reply === undefined || root.deliveryId === null || text === null) return null;
  if (progress.to === 'running' && reply.edits !== true) return null;
  // A question is a comment of its own: providers send no notification for an edit.
  const isQuestion = progress.to === 'waiting_answer';
  const { comment_outgoing_id: comment } = task.sourceMetadata;
  const edits = typeof comment === 'string' && !isQuestion ? comment : null;
  const item = threadComment(ids, reply, text, edits);
  return {
    deliveryId: root.deliveryId,
    item: isQuestion || reply.buttons !== true ? item : withButtons(item, task.id, progress.to),
    becomesTaskComment: edits === null && !isQuestion,
  };
}

/** A comment of its own in the thread that a task came from. Null when the task has no thread to answer. */
export function separateComment(
  ids: IdSource,
  root: Task,
  text: PostText,
): Omit<TaskReply, 'becomesTaskComment'> | null {
  const reply = root.sourceMetadata.reply as JsonObject | undefined;
  if (reply === undefined || root.deliveryId === null) return null;
  return { deliveryId: root.deliveryId, item: threadComment(ids, reply, text, null) };
}

/**
 * Asks in the thread that a task came from whether it may start, with buttons; for one that an agent made. Null where the thread has
 * no buttons.
 */
export function approvalComment(
  ids: IdSource,
  root: Task,
  { id, title, status, agent, prompt }: Task,
): Omit<TaskReply, 'becomesTaskComment'> | null {
  const reply = root.sourceMetadata.reply as JsonObject | undefined;
  if (reply?.buttons !== true || root.trust === 'unverified') return null;
  const text = joinTexts(
    ownText(`\`${id}\` waits for approval: `),
    foreignText(unlinked(title)),
    agent === PERMISSION_AGENT ? permissionText(prompt) : ownText(''),
  );
  const asked = separateComment(ids, root, text);
  return asked === null ? null : { ...asked, item: withButtons(asked.item, id, status) };
}

const PERMISSION_LENGTH = 2_500;

/** What a run wants to do, as code. */
function permissionText(prompt: string): PostText {
  const shown = escapeInvisible(prompt).replaceAll('```', '`\u200B``');
  const rest = shown.length - PERMISSION_LENGTH;
  const cut =
    rest > 0 ? ownText(`\n${rest} further characters are shown by \`hookctl task show\`.`) : ownText('');
  return joinTexts(ownText('\n```\n'), foreignText(shown.slice(0, PERMISSION_LENGTH)), ownText('\n```'), cut);
}

function withButtons(item: NewOutgoing, buttonsOf: string, buttonsAt: TaskStatus): NewOutgoing {
  return { ...item, buttonsOf, buttonsAt };
}

/** A text of an agent, cut to the longest that may be posted. */
function agentText(text: string, length = RESULT_LENGTH): PostText {
  return foreignText(cutAtSentence(escapeInvisible(text), length));
}

function threadComment(
  ids: IdSource,
  reply: JsonObject,
  content: PostText,
  edits: string | null,
): NewOutgoing {
  const place = reply.place as unknown as ThreadRef;
  return { id: ids.next('out'), kind: 'comment', place, content, edits, privateNetwork: false };
}

function textOf(
  { id, agent }: Task,
  { to, actor, result, error, question, costUsd }: Progress,
): PostText | null {
  const cost = costUsd === null ? '' : ` · $${costUsd.toFixed(2)}`;
  // Of a provider: somebody in a thread.
  const who = to === 'cancelled' && actor.includes(':') ? notice` · ${actor}` : ownText('');
  const signed = (sign: string, text: string, length: number) =>
    joinTexts(ownText(`${sign} `), agentText(text, length), ownText(`\n\n\`${id}\`${cost}`), who);
  switch (to) {
    case 'running':
      return notice`\`${id}\` is worked on by ${escapeInvisible(agent)}.`;
    case 'waiting_answer':
      return (question ?? '').trim() === '' ? null : signed('❓', question ?? '', RESULT_LENGTH);
    case 'completed':
      return signed('✅', result ?? 'Done.', RESULT_LENGTH);
    case 'failed':
      return signed('❌', error ?? 'It failed.', ERROR_LENGTH);
    case 'cancelled':
      return signed('🚫', error ?? 'It was cancelled.', ERROR_LENGTH);
    default:
      return null;
  }
}

/** Comments of their own that the tasks of one delivery may post in an hour: an agent that loops must not flood a thread. */
const MOST_PER_HOUR = 30;
const HOUR_MS = 3_600_000;

/**
 * Posts in the thread that a task came from, through the outbox. Throws `not_found`, `usage`, `no_thread` when there is no
 * thread to answer, and `too_many_comments`.
 */
export async function commentOnTask(
  context: Pick<TaskContext, 'store' | 'ids' | 'clock'>,
  id: string,
  text: string,
  where: string,
): Promise<Outgoing> {
  const { store, ids, clock } = context;
  const task = taskNamed(context, id, where);
  if (text.trim() === '') throw usageError('there is nothing to post');
  const comment = separateComment(ids, store.task(task.initiatedTaskId) ?? task, agentText(text));
  const now = clock.now();
  if (comment === null) throw noThread(id);
  const posted = store
    .outbox({ deliveryId: comment.deliveryId, limit: 2 * MOST_PER_HOUR })
    .filter(
      ({ kind, edits, createdAt }) => kind === 'comment' && edits === null && createdAt > now - HOUR_MS,
    );
  if (posted.length >= MOST_PER_HOUR) {
    throw failure(
      'too_many_comments',
      `this thread has ${posted.length} new comments of the last hour already`,
      {
        fix: 'Say it in the result of the task.',
      },
    );
  }
  await store.addComment(comment.item, comment.deliveryId, now);
  const item = store.outgoing(comment.item.id);
  if (item === null) throw noThread(id);
  return item;
}

function noThread(id: string): Error {
  return failure('no_thread', `${id} came from no thread that hookctl may post to`, {
    fix: 'Say it in the result of the task.',
  });
}
