import { lstat, open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createPauses } from '../../lib/time-slicer.ts';
import type { Task } from '../../types.ts';
import { inSlices } from './batch-queue.ts';
import { errorCode, type Folder, openFolder, reasonOf, unwritable } from './folder.ts';
import {
  holdBack,
  isFinal,
  isListed,
  type ListTask,
  mergeListTask,
  notedEntry,
  placeholderEntry,
  toListTask,
} from './list-entry.ts';
import {
  type Entries,
  type Entry,
  type ListScan,
  listFilePath,
  readHighWaterMark,
  readListFile,
  removeStaleTempFiles,
  scanList,
  writeListFile,
} from './list-file.ts';
import { type HeldLock, withLock } from './lock.ts';
import { prune } from './remove.ts';

interface ListOptions {
  /** Folder name, see `listFolderName`. */
  readonly list: string;
  /** For `metadata.project`; a list may be shared by several projects. */
  readonly project: string;
  /** How long a lock of others is waited for. */
  readonly lockPatienceMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The result of writing tasks to the list. A task in neither map has no entry. */
export interface ListOutcome {
  readonly numbers: ReadonlyMap<string, number>;
  /** Task id to why its entry could not be updated. */
  readonly problems: ReadonlyMap<string, string>;
}

/** The list form of the projection. */
export interface TaskList {
  /**
   * Writes the tasks that `take` hands out once the lock is held, so that one lock serves all that came meanwhile.
   * Rejects when the list as a whole cannot be written.
   */
  write(tasksFolder: Folder, take: () => readonly Task[]): Promise<ListOutcome>;
  /** Whether the entry of a task is gone because hookctl removed it; tells each only once. */
  takePruned(taskId: string): boolean;
  /** Makes the next write read every file again. */
  forget(): void;
}

/** Remembers the entries of the list, so that the cost of a write does not grow with the list. */
export function createTaskList({ list, project, lockPatienceMs, now }: ListOptions): TaskList {
  const pruned = new Set<string>();
  let isForgotten = false;
  let known: { readonly anchor: string; readonly entries: Entries } | null = null;

  async function allocateLocked(folder: Folder, take: () => readonly Task[]): Promise<Allocation> {
    const anchor = await makeLockAnchor(folder);
    return withLock(join(folder.path, '.lock'), lockPatienceMs, async (lock) => {
      // Claude Code removes at its start the lists whose folder did not change for 30 days.
      if (isForgotten) await touch(folder, now());
      const remembered = !isForgotten && known?.anchor === anchor ? known.entries : new Map();
      isForgotten = false;
      // Set again after success: after a write that failed half way every file is read anew.
      known = null;
      if (remembered.size === 0) await removeStaleTempFiles(folder, now());
      const found = await scanList(folder, remembered, project);
      const allocation = await allocate({ folder, list, project, lock }, found, latest(take()));
      lock.assertHeld();
      const entries = await prune(folder, allocation.entries);
      for (const [number, { taskId }] of allocation.entries) {
        if (taskId !== null && !entries.has(number)) pruned.add(taskId);
      }
      known = { anchor, entries };
      return {
        ...allocation,
        entries,
        existing: allocation.existing.filter(isIn(entries, allocation)),
      };
    });
  }

  async function updateAll(folder: Folder, allocation: Allocation): Promise<Map<string, string>> {
    const { entries, numbers, existing, numberOf } = allocation;
    const problems = new Map<string, string>();
    const isOpen = (number: number) => entries.get(number)?.finishedAt === null;
    const update = async (task: Task): Promise<void> => {
      const number = numbers.get(task.id) ?? 0;
      const fresh = toListTask(task, { number, project, numberOf });
      await rewrite(folder, number, lockPatienceMs, (current) =>
        holdBack(mergeListTask(current, fresh), isOpen),
      ).catch((error: unknown) => problems.set(task.id, reasonOf(error, folder.name)));
    };
    await inSlices(existing, update);
    await inSlices(linksOf(allocation), async ({ task, number, blocks }) => {
      await rewrite(folder, number, lockPatienceMs, (current) =>
        holdBack({ ...current, blocks: [...new Set([...current.blocks, String(blocks)])] }, isOpen),
      ).catch((error: unknown) => problems.set(task.id, reasonOf(error, folder.name)));
    });
    return problems;
  }

  return {
    async write(tasksFolder, take) {
      const folder = await openFolder(join(tasksFolder.path, list), join(tasksFolder.name, list));
      try {
        const allocation = await allocateLocked(folder, take);
        // Each under its own lock only: while the list's lock is held, Claude Code cannot create tasks.
        const problems = await updateAll(folder, allocation);
        await folder.assertInPlace();
        return { numbers: allocation.numbers, problems };
      } catch (error) {
        throw unwritable(reasonOf(error, folder.name));
      } finally {
        await folder.close();
      }
    },
    takePruned: (taskId) => pruned.delete(taskId),
    forget: () => {
      isForgotten = true;
    },
  };
}

/** The listed tasks, each once, in its newest state. */
function latest(tasks: readonly Task[]): readonly Task[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()].filter(isListed);
}

/** Leaves out what has just been pruned: an update would complain that it is gone. */
function isIn(entries: Entries, { numbers }: Allocation): (task: Task) => boolean {
  return ({ id }) => entries.has(numbers.get(id) ?? 0);
}

async function touch(folder: Folder, now: number): Promise<void> {
  await utimes(folder.path, now / 1_000, now / 1_000);
}

/** Returns what tells this anchor from that of a folder made anew: an inode alone is used again at once. */
async function makeLockAnchor(folder: Folder): Promise<string> {
  const path = join(folder.path, '.lock');
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const { ino, mtimeMs } = await lstat(path);
  return `${ino}:${mtimeMs}`;
}

/** The other end of a dependency: the entry `number` blocks the entry `blocks`, which is the task's. */
interface Link {
  readonly task: Task;
  readonly number: number;
  readonly blocks: number;
}

function linksOf({ entries, numbers, numberOf, tasks }: Allocation): readonly Link[] {
  return tasks.flatMap((task) => {
    const blocks = numbers.get(task.id);
    const blockers = task.dependsOn.map(numberOf).filter((number) => number !== undefined);
    return blocks === undefined || !entries.has(blocks)
      ? []
      : blockers.filter((number) => entries.has(number)).map((number) => ({ task, number, blocks }));
  });
}

async function rewrite(
  folder: Folder,
  number: number,
  patienceMs: number,
  change: (current: ListTask) => ListTask,
): Promise<void> {
  await withLock(listFilePath(folder, number), patienceMs, async () => {
    const current = await readListFile(folder, number);
    if (typeof current === 'string') {
      throw unwritable(`${number}.json in ${folder.name} was removed or damaged while hookctl updated it`);
    }
    const changed = change(current);
    if (!isDeepStrictEqual(changed, current)) await writeListFile(folder, number, changed);
  });
}

/** The list once every task has its number. */
interface Allocation {
  readonly entries: Entries;
  /** Task id to number. */
  readonly numbers: ReadonlyMap<string, number>;
  /** All that were handed in. */
  readonly tasks: readonly Task[];
  /** Tasks whose entry was there before: still to be updated. */
  readonly existing: readonly Task[];
  /** The number of any task in the list, also of one that was there before. */
  readonly numberOf: (taskId: string) => number | undefined;
}

/** What `allocate` works with, under the list's lock. */
interface AllocationContext {
  readonly folder: Folder;
  readonly list: string;
  readonly project: string;
  readonly lock: HeldLock;
}

/**
 * Gives every task its number: the one it has, else max(existing, .highwatermark) + 1, and writes the entries that
 * are new. Makes the placeholder if the list has none. Only under the list's lock.
 */
async function allocate(
  context: AllocationContext,
  { entries: found, highest }: ListScan,
  tasks: readonly Task[],
): Promise<Allocation> {
  const { folder, project, lock } = context;
  const entries = new Map(found);
  const numbers = new Map<string, number>();
  const existing: Task[] = [];
  const byTask = new Map([...found].map(([number, { taskId }]) => [taskId, number]));
  const noted = tasks.map((task) => notedNumber(task, context.list) ?? 0);
  const numberOf = (taskId: string) => numbers.get(taskId) ?? byTask.get(taskId);
  let last = Math.max(highest, readHighWaterMark(folder), ...noted);

  if (![...found.values()].some(({ isPlaceholder }) => isPlaceholder)) {
    last += 1;
    await writeListFile(folder, last, placeholderEntry(last));
    entries.set(last, { taskId: null, isPlaceholder: true, finishedAt: null });
  }
  const pause = createPauses();
  for (const task of tasks) {
    await pause();
    const known = await findNumber(context, task, byTask.get(task.id));
    if (known === null) last += 1;
    const number = known?.number ?? last;
    lock.assertHeld();
    if (known?.isWritten) existing.push(task);
    else await writeListFile(folder, number, toListTask(task, { number, project, numberOf }));
    numbers.set(task.id, number);
    entries.set(number, entryOf(task));
  }
  return { entries, numbers, existing, numberOf, tasks };
}

function entryOf(task: Task): Entry {
  const finishedAt = isFinal(task.status) ? (task.completedAt ?? task.updatedAt) : null;
  return { taskId: task.id, isPlaceholder: false, finishedAt };
}

interface KnownNumber {
  readonly number: number;
  /** False: the number is this task's, but its entry is gone or damaged. */
  readonly isWritten: boolean;
}

/**
 * The number a task already has: by the entry that names it (hookctl may have died before the number was noted), or
 * by the note. A number that leads to another program's entry is not used, so that no entry is overwritten.
 */
async function findNumber(
  { folder, list }: AllocationContext,
  task: Task,
  onDisk: number | undefined,
): Promise<KnownNumber | null> {
  const noted = notedNumber(task, list);
  for (const number of [onDisk, noted]) {
    if (number === undefined) continue;
    const file = await readListFile(folder, number);
    // hookctl writes without fsync: after a power loss its own entry can be empty.
    if (file === 'missing' || file === 'damaged') return { number, isWritten: false };
    if (file === 'unreadable') continue;
    if (file.metadata?.orchestration_task_id === task.id) return { number, isWritten: true };
  }
  return null;
}

/** The number that is noted for this list. */
function notedNumber(task: Task, list: string): number | undefined {
  const noted = notedEntry(task);
  return noted?.list === list ? noted.number : undefined;
}
