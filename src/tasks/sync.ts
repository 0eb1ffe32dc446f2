import type { IdSource } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import type { SyncNote } from '../store/tasks.ts';
import type { Task } from '../types.ts';
import type { ClaudeState, ClaudeTasks } from './claude/index.ts';
import { notedEntry } from './claude/list-entry.ts';
import { isEnd } from './lifecycle.ts';
import type { OwnerLimits } from './owner-limits.ts';

/** What operations on tasks need. */
export interface TaskContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly claude: ClaudeTasks;
  /** Limits of owners: `owners` of webhooks.yml. */
  readonly owners: OwnerLimits;
  /** Open tasks that agents may have made below one root: an agent that loops must not fill the queue. */
  readonly mostChildren: number;
}

/**
 * Writes tasks into Claude's directory, where their numbers are noted; returns the tasks with these notes. A task whose files
 * could not be written is noted as unsynced and repaired later; no error is thrown.
 */
export async function syncTasks(
  { store, claude }: Pick<TaskContext, 'store' | 'claude'>,
  tasks: readonly Task[],
): Promise<readonly Task[]> {
  const neighbours = tasks.filter((task) => !isNew(task)).flatMap((task) => neighboursOf(store, task));
  const due = [...tasks, ...neighbours].filter((task) => task.syncToClaudeTasks);
  const notes = new Map((await claude.project(due)).map((note) => [note.taskId, note]));
  return tasks.map((task) => withNote(task, notes.get(task.id)));
}

/** Whether it has just been made, and depends on nothing: no other entry looks different by it. */
function isNew(task: Task): boolean {
  return task.createdAt === task.updatedAt && task.dependsOn.length === 0 && notedEntry(task) === null;
}

/** A task as the store has it once the note is recorded. */
function withNote(task: Task, note: SyncNote | undefined): Task {
  if (note === undefined) return task;
  const { claudeTaskId, claudeList, unsynced } = note;
  return {
    ...task,
    unsynced,
    sourceMetadata: {
      ...task.sourceMetadata,
      ...(claudeTaskId !== null && { claude_task_id: claudeTaskId }),
      ...(claudeList !== null && { claude_list: claudeList }),
    },
  };
}

/** Tasks whose entries look different by this one: a failed one that holds it back, one that waits for it. */
function neighboursOf(store: Pick<Store, 'task' | 'dependents'>, task: Task): readonly Task[] {
  const ended = task.dependsOn
    .map((id) => store.task(id))
    .filter((other) => other !== null)
    .filter(({ status }) => isEnd(status));
  return [...ended, ...store.dependents(task.id)];
}

/** The result of a repair. */
interface Repair {
  readonly state: ClaudeState;
  /** Tasks that were compared with their files. */
  readonly tasks: number;
  /** Tasks whose files are still missing, with the reason. */
  readonly unsynced: readonly { readonly taskId: string; readonly reason: string }[];
}

/** Finished tasks that stay in Claude's list. */
const FINISHED_IN_LIST = 50;

/** Brings Claude's directory in line with the store: at start, when a folder is back, and by `hookctl sync`. */
export async function repairFiles({ store, claude }: Pick<TaskContext, 'store' | 'claude'>): Promise<Repair> {
  const due = store.projectable(FINISHED_IN_LIST);
  const notes = await claude.repair(due);
  return {
    state: claude.state,
    tasks: due.length,
    unsynced: notes.flatMap(({ taskId, unsynced }) =>
      unsynced === null ? [] : [{ taskId, reason: unsynced }],
    ),
  };
}
