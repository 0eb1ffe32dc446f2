import { failure, usageError } from '../errors.ts';
import type { Outgoing } from '../types.ts';
import { taskNamed } from './change.ts';
import type { TaskContext } from './context.ts';
import { agentText, separateComment } from './progress.ts';

/** Comments of their own that the tasks of one delivery may post in an hour: an agent that loops must not flood a thread. */
const MOST_PER_HOUR = 30;
const HOUR_MS = 3_600_000;

/**
 * Posts in the thread that a task came from, through the outbox. Throws `not_found`, `usage`, `no_thread` where nobody
 * can be answered, and `too_many_comments`.
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
