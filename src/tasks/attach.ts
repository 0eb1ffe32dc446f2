import { failure } from '../errors.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import type { RunReader, RunWriter } from '../store/runs.ts';
import { joinTexts, notice, ownText } from '../types/text.ts';
import type { Task } from '../types.ts';
import { separateComment } from './comments.ts';
import { taskNamed } from './lifecycle.ts';
import type { TaskContext } from './sync.ts';

type AttachContext = Pick<TaskContext, 'ids' | 'clock'> & {
  readonly store: TaskContext['store'] &
    Pick<RunReader, 'runsOfTask' | 'openRuns' | 'attachments'> &
    Pick<RunWriter, 'attach' | 'detach'>;
};

interface Attached {
  readonly task: Task;
  /** The run of the conversation that is about to end; null when none goes on. */
  readonly runId: string | null;
  /** Null while the run that goes on has not said it. */
  readonly openWith: string | null;
}

/**
 * Gives the session of a task to a person: runs of its conversation wait, and the one that goes on ends. It is said in the
 * thread. Throws `not_found`, and `no_session` when there is nothing to open.
 */
export async function attachTask(
  context: AttachContext,
  id: string,
  { actor, now, where }: { readonly actor: string; readonly now: boolean; readonly where: string },
): Promise<Attached> {
  const { store, clock } = context;
  const task = taskNamed(context, id, where);
  const { conversationId } = task;
  const running = store
    .openRuns()
    .find((run) => run.state === 'running' && run.conversationId === conversationId);
  const openWith = sessionLine(store, task);
  if (running === undefined && openWith === null) {
    throw failure('no_session', `no run of ${id} was in a session that can be opened`, {
      fix: `See its runs: hookctl task show ${id}`,
    });
  }
  const isNew = !store.attachments().some((each) => each.conversationId === conversationId);
  await store.attach({ conversationId, taskId: id, actor, atOnce: now, at: clock.now() });
  if (isNew) {
    const how = running === undefined || now ? '' : ' after the agent’s present turn';
    const who = notice`🤝 ${escapeInvisibleLine(actor)} works in this session by hand`;
    await say(context, task, joinTexts(who, ownText(`${how}. What is asked meanwhile waits.`)));
  }
  return { task, runId: running?.id ?? null, openWith };
}

/** Gives the session back: what waits runs again. Throws `not_found`, and `not_attached`. */
export async function detachTask(context: AttachContext, id: string, where: string): Promise<Task> {
  const task = taskNamed(context, id, where);
  if (!(await context.store.detach(task.conversationId))) {
    throw failure('not_attached', `no person works in the session of ${id}`, {
      fix: `See the task: hookctl task show ${id}`,
    });
  }
  await say(context, task, ownText('🤝 The session was given back: work goes on.'));
  return task;
}

/** The line that opens the newest session of a task's conversation. */
function sessionLine(store: AttachContext['store'], { conversationId }: Task): string | null {
  const runs = store.tasks({ conversationId, limit: 200 }).flatMap(({ id }) => store.runsOfTask(id));
  const opened = runs.filter(({ openWith }) => openWith !== null).sort((a, b) => a.id.localeCompare(b.id));
  return opened.at(-1)?.openWith ?? null;
}

async function say(
  { store, ids, clock }: AttachContext,
  task: Task,
  text: Parameters<typeof separateComment>[2],
) {
  const comment = separateComment(ids, store.task(task.initiatedTaskId) ?? task, text);
  if (comment !== null) await store.addComment(comment.item, comment.deliveryId, clock.now());
}
