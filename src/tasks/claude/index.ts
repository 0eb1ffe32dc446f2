import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SyncNote } from '../../store/tasks.ts';
import type { Task } from '../../types.ts';
import { createBatchQueue } from './batch-queue.ts';
import type { Folder } from './folder.ts';
import { listFolderName } from './folder.ts';
import { createTaskList, type TaskList } from './list.ts';
import { removeLeftovers } from './list-file.ts';
import { claimantOf, createListReader, type ListReader } from './list-reader.ts';
import { projectBatch, type Target } from './projection.ts';
import { removeFiles } from './remove.ts';

export { type ClaudeConfigDir, claudeConfigDir, listFolderName, sessionCommand } from './folder.ts';
export type { EntryChange, ListReader, Reading } from './list-reader.ts';

export interface ClaudeTasksOptions {
  /** Claude Code's configuration folder, see `claudeConfigDir`. */
  readonly configDir: string;
  /** Whether the user named it: then it is created when absent. */
  readonly explicit: boolean;
  /** List id as in `CLAUDE_CODE_TASK_LIST_ID`; not empty. */
  readonly list: string;
  readonly listEnabled: boolean;
  readonly recordEnabled: boolean;
  /** Path of the project, for `metadata.project`. */
  readonly project: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Stores the notes of a batch; what waits for the batch waits for this, too. Default: they are only returned. */
  readonly record?: (notes: readonly SyncNote[]) => Promise<void>;
  /** How long to wait for a lock of another program. Default 12 s: a dead program's lock is free after 10 s. */
  readonly lockPatienceMs?: number;
}

/** Whether tasks get into Claude Code's directory, and if not why, in words to be shown. */
export type ClaudeState =
  | {
      readonly on: true;
      readonly tasksDir: string;
      /** Null when the list form is switched off. */
      readonly listDir: string | null;
    }
  | { readonly on: false; readonly reason: string };

/** The projection of hookctl's tasks into Claude Code's directory. */
export interface ClaudeTasks {
  /** As the last write found it; a folder that is back is taken up by the next one. */
  readonly state: ClaudeState;
  /** Files of some task are missing: they could not be written, or went with a folder that was made anew since. */
  readonly isBehind: boolean;
  /**
   * Writes the tasks in every form that is on; a note for each tells its number, or why it was not written. Rejects only
   * when the notes can't be recorded. No notes when both forms are switched off.
   */
  project(tasks: readonly Task[]): Promise<readonly SyncNote[]>;
  /**
   * `project`, forgetting what is known of the folders: at start, and when they are back. `tasks` are the open ones
   * and the last finished ones (`StoreReader.projectable`); also removes what a killed hookctl left half written.
   */
  repair(tasks: readonly Task[]): Promise<readonly SyncNote[]>;
  /** Removes records and entries of tasks that the store is about to forget. Resolves with the reason when that fails, else null. */
  remove(tasks: readonly Task[]): Promise<string | null>;
  /** Reads what others do to the project's list; null when the list form is switched off. */
  readonly list: FollowedList | null;
  /** Each list with its tasks, the project's first, where owners have lists of their own. Left out: there is one. */
  readonly parts?: readonly ClaudeTasks[];
}

/** The list, as somebody follows it. */
interface FollowedList extends ListReader {
  /** Its folder, which need not be there. */
  readonly path: string;
  /** The owner or session that took a task there, in words. Null when it is free. */
  claimant(task: Task): Promise<string | null>;
}

const START_PATIENCE_MS = 500;

/**
 * Makes folder, lock anchor and placeholder where that is allowed: a session watches only a list that is there at its
 * start. Never rejects for the state of the disk: see `ClaudeTasks.state`.
 */
export async function openClaudeTasks(options: ClaudeTasksOptions): Promise<ClaudeTasks> {
  const { configDir, listEnabled, recordEnabled, now } = options;
  const remove = (tasks: readonly Task[]) => removeFiles(options, tasks);
  if (!listEnabled && !recordEnabled) return { ...SWITCHED_OFF, remove };
  const listName = listFolderName(options.list);
  const list = listEnabled
    ? createTaskList({ ...options, list: listName, lockPatienceMs: options.lockPatienceMs ?? 12_000 })
    : null;
  const tasksDir = join(configDir, 'tasks');
  const whenOn: ClaudeState = { on: true, tasksDir, listDir: listEnabled ? join(tasksDir, listName) : null };

  let state: ClaudeState = whenOn;
  let isClean = false;
  const prepare = async (tasksFolder: Folder): Promise<void> => {
    if (!isClean) await removeLeftovers(tasksFolder, now());
    isClean = true;
  };
  const target: Target = { ...options, list, listName, prepare };
  const behind = new Set<string>();
  let isRenewed = false;
  const recordAll = async (notes: readonly SyncNote[]) => {
    if (notes.length > 0) await options.record?.(notes);
  };
  const batches = createBatchQueue<SyncNote>(async (intake) => {
    const { notes, problem } = await projectBatch(target, intake);
    state = problem === null ? whenOn : { on: false, reason: problem };
    if (list?.takeRenewed()) isRenewed = true;
    for (const { taskId, unsynced } of notes.values()) {
      if (unsynced === null) behind.delete(taskId);
      else behind.add(taskId);
    }
    return notes;
  }, recordAll);
  // A lock left by a killed program is free after 10 s: the start does not wait for that, the placeholder follows.
  await Promise.race([batches.add([]), delay(START_PATIENCE_MS, undefined, { ref: false })]);
  return {
    get state() {
      return state;
    },
    get isBehind() {
      return behind.size > 0 || isRenewed;
    },
    remove,
    project: async (tasks) => (tasks.length === 0 ? [] : batches.add(tasks)),
    list:
      list === null
        ? null
        : {
            ...reader(options, tasksDir, listName, list),
            path: join(tasksDir, listName),
            claimant: (task) => claimantOf(tasksDir, listName, task),
          },
    repair: (tasks) => {
      isClean = false;
      isRenewed = false;
      list?.forget();
      return batches.add(tasks);
    },
  };
}

function reader(
  { project }: ClaudeTasksOptions,
  tasksDir: string,
  listName: string,
  list: TaskList,
): ListReader {
  return createListReader({
    tasksDir,
    list: listName,
    project,
    isPruned: list.takePruned,
    madeBy: list.takeMade,
  });
}

const SWITCHED_OFF: Omit<ClaudeTasks, 'remove'> = {
  state: { on: false, reason: 'switched off: claudeTasks in webhooks.yml' },
  isBehind: false,
  list: null,
  project: async () => [],
  repair: async () => [],
};
