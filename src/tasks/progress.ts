import type { IdSource } from '../lib/ids.ts';
import { cutAtSentence } from '../lib/text/cut.ts';
import { escapeInvisible } from '../lib/text/escape-invisible.ts';
import type { TaskReply } from '../store/tasks.ts';
import { foreignText, joinTexts, notice, ownText } from '../types/post-text.ts';
import type { JsonObject, NewOutgoing, PostText, Task, TaskStatus, ThreadRef } from '../types.ts';

/** Longest result and error in a comment, in characters. */
const RESULT_LENGTH = 4_000;
const ERROR_LENGTH = 8_000;

/** What is told about a step, and what became of the task by it. */
interface Progress {
  readonly to: TaskStatus;
  readonly result: string | null;
  readonly error: string | null;
  /** What the agent wants to know, of a task that waits for an answer then. */
  readonly question: string | null;
  /** Of all runs together; null when nobody said. */
  readonly costUsd: number | null;
}

/**
 * What goes back to where a task came from: one comment for each task, made when it starts and edited as it moves on;
 * where comments cannot be edited, one at its end. Null where nothing is to be said, or nobody can be answered. A child
 * is answered where its root came from.
 */
export function progressReply(ids: IdSource, task: Task, root: Task, progress: Progress): TaskReply | null {
  const reply =
    task.trust === 'unverified' ? undefined : (root.sourceMetadata.reply as JsonObject | undefined);
  const text = textOf(task, progress);
  if (reply === undefined || root.deliveryId === null || text === null) return null;
  if (progress.to === 'running' && reply.edits !== true) return null;
  // A question is a comment of its own: nobody is told of an edit.
  const isQuestion = progress.to === 'waiting_answer';
  const { comment_outgoing_id: comment } = task.sourceMetadata;
  const edits = typeof comment === 'string' && !isQuestion ? comment : null;
  return {
    deliveryId: root.deliveryId,
    item: threadComment(ids, reply, text, edits),
    becomesTaskComment: edits === null && !isQuestion,
  };
}

/** A comment of its own in the thread that a task came from; null where nobody can be answered. */
export function separateComment(
  ids: IdSource,
  root: Task,
  text: PostText,
): Omit<TaskReply, 'becomesTaskComment'> | null {
  const reply = root.sourceMetadata.reply as JsonObject | undefined;
  if (reply === undefined || root.deliveryId === null) return null;
  return { deliveryId: root.deliveryId, item: threadComment(ids, reply, text, null) };
}

/** Words of an agent, as long as they may be. */
export function agentText(text: string, length = RESULT_LENGTH): PostText {
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

function textOf({ id, agent }: Task, { to, result, error, question, costUsd }: Progress): PostText | null {
  const cost = costUsd === null ? '' : ` · $${costUsd.toFixed(2)}`;
  const signed = (sign: string, text: string, length: number) =>
    joinTexts(ownText(`${sign} `), agentText(text, length), ownText(`\n\n\`${id}\`${cost}`));
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
