import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { HookctlError } from '../errors.ts';
import type { Task, TaskEvent } from '../types.ts';
import type { ClaudeTasks, EntryChange, Reading } from './claude/index.ts';
import { isEnd } from './lifecycle.ts';
import { repairFiles, syncTasks, type TaskContext } from './sync.ts';
import { changeTask, guardedStep } from './transition.ts';

/** Follows changes that Claude Code and people make to the task list. */
interface Follower {
  /** Stops following; resolves when what runs has ended. */
  close(): Promise<void>;
}

interface FollowOptions {
  /** Names the data folder in messages. */
  readonly where: string;
  /** Called with every task that was changed from the list. */
  readonly changed: (task: Task) => void;
  /** Told when the store or the folder fails; following goes on. */
  readonly broken: (error: unknown) => void;
}

const ACTOR = 'claude';
/** After a change more often follow at once: hookctl's own writes are changes, too. */
const SETTLE_MS = 50;
/** Reading a list of thousands takes long: rests of nine times as long leave hookctl time to write. */
const REST = 9;
/** Watches miss what happens to a folder that is made anew. */
const POLL_MS = 5_000;
/** How often all files are compared with the store, and the folder is touched. */
const REPAIR_MS = 600_000;

/** Watches each list and looks at it every 5 s. Does nothing when the list form is switched off. */
export function followClaude(context: TaskContext, options: FollowOptions): Follower {
  const { parts = [context.claude] } = context.claude;
  const followers = parts.map((part) => followList(context, part, options));
  return {
    close: async () => void (await Promise.all(followers.map((follower) => follower.close()))),
  };
}

/** Of one list; `context` knows all, so that a task is written to its own. */
function followList(context: TaskContext, part: ClaudeTasks, options: FollowOptions): Follower {
  const { list } = part;
  if (list === null) return { close: async () => undefined };
  const stop = new AbortController();
  let wake = Promise.withResolvers<void>();
  const watch = watchFolder(list.path, () => wake.resolve());
  let repairedAt = context.clock.now();
  /** A disk that was full has room again after seconds; a file that can never be written is not looked at so often. */
  let retryMs = POLL_MS;

  async function round(): Promise<void> {
    const since = context.clock.now() - repairedAt;
    // A clock that was set back would put the next repair off.
    const isDue = since < 0 || since >= (part.isBehind ? retryMs : REPAIR_MS);
    if (isDue) repairedAt = context.clock.now();
    try {
      const reading = isDue ? null : await list?.read();
      if (reading) await follow(context, reading, options);
      // Changes may have been missed while the folder was away.
      if (isDue || !reading || !part.state.on) await restore(context, part, isDue);
      if (!part.isBehind) retryMs = POLL_MS;
      else if (isDue) retryMs = Math.min(2 * retryMs, REPAIR_MS);
      watch.refresh();
    } catch (error) {
      list?.forget();
      options.broken(error);
    }
  }

  async function rounds(): Promise<void> {
    while (!stop.signal.aborted) {
      const begin = context.clock.now();
      await round();
      const rest = (context.clock.now() - begin) * REST;
      await pause(Math.min(Math.max(SETTLE_MS, rest), POLL_MS), stop.signal);
      await Promise.race([wake.promise, pause(POLL_MS, stop.signal)]);
      wake = Promise.withResolvers<void>();
    }
  }

  const running = rounds();
  return {
    async close() {
      stop.abort();
      watch.close();
      await running;
    },
  };
}

/** Turns what was read into steps of the tasks; what the lifecycle refuses is recorded and changes nothing. */
async function follow(
  context: TaskContext,
  { changes, removed }: Reading,
  { where, changed }: Pick<FollowOptions, 'where' | 'changed'>,
): Promise<void> {
  for (const change of changes) {
    const task = context.store.task(change.taskId);
    const after = task === null ? null : await apply(context, task, change, where);
    if (after !== null && after.status !== task?.status) changed(after);
  }
  const gone = removed.map((id) => context.store.task(id)).filter((task) => task !== null);
  for (const task of gone) await note(context, task, 'delete', 'its entry was removed from the list');
  await syncTasks(
    context,
    gone.filter(({ status }) => !isEnd(status)),
  );
}

async function apply(
  context: TaskContext,
  task: Task,
  change: EntryChange,
  where: string,
): Promise<Task | null> {
  const event = eventOf(task, change);
  if (event === null) return null;
  if (event === 'reopen') {
    await note(context, task, 'reopen', `its entry was set to ${change.status}`);
    return null;
  }
  const step = guardedStep(context, task, event);
  if (step.kind === 'refused') await note(context, task, event, step.reason);
  if (step.kind !== 'to') return null;
  try {
    return await changeTask(context, task.id, event, { actor: ACTOR }, where);
  } catch (error) {
    // The task moved in the meantime: the change of the entry is out of date.
    if (error instanceof HookctlError && error.code === 'task_state') return null;
    throw error;
  }
}

function eventOf({ status }: Task, change: EntryChange): TaskEvent | 'reopen' | null {
  switch (change.status) {
    case 'completed':
      return 'complete';
    case 'in_progress':
      return isEnd(status) ? 'reopen' : 'start';
    case 'pending':
      if (isEnd(status)) return 'reopen';
      return status === 'running' ? 'release' : null;
    default:
      return change.status satisfies never;
  }
}

async function note(
  context: TaskContext,
  { id }: Task,
  event: TaskEvent | 'reopen' | 'delete',
  reason: string,
) {
  await context.store.noteTask({ taskId: id, event, actor: ACTOR, reason, at: context.clock.now() });
}

/** Makes the folder again and, once that works, everything in it. Without Claude Code's own folder nothing is tried. */
async function restore(context: TaskContext, part: ClaudeTasks, isDue: boolean): Promise<void> {
  if (!isDue) {
    await part.repair([]);
    if (!part.state.on) return;
  }
  await repairFiles(context);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/** A watch on one folder, also when it is removed and made again. */
interface FolderWatch {
  /** Looks whether the folder is still the one that is watched; called now and then. */
  refresh(): void;
  close(): void;
}

/**
 * Reports that something in a folder changed; the caller looks what. One watch for all files, as
 * Claude Code does it; a watch on each of thousands of files would use up what the system allows. Where nothing can be
 * watched there is only the caller's own slow look.
 */
function watchFolder(path: string, touched: () => void): FolderWatch {
  let watcher: FSWatcher | null = null;
  let watched: string | null = null;

  function refresh(): void {
    const identity = identityOf(path);
    if (identity === watched && watcher !== null) return;
    close();
    if (identity === null) return;
    try {
      watcher = watch(path, { persistent: false }, touched);
      watcher.on('error', close);
      watched = identity;
    } catch {
      close();
    }
  }

  function close(): void {
    watcher?.close();
    watcher = null;
    watched = null;
  }

  refresh();
  return { refresh, close };
}

function identityOf(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : null;
}
