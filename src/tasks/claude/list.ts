import { closeSync, lstatSync, openSync } from 'node:fs';
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
  isPlaceholder,
  type ListTask,
  mergeListTask,
  notedEntry,
  placeholderEntry,
  toListTask,
} from './list-entry.ts';
import {
  listFilePath,
  readHighWaterMark,
  readListFile,
  readListFileNow,
  removeLeftovers,
  writeListFile,
} from './list-file.ts';
import { type ListIndex, scanList } from './list-index.ts';
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
  /** The task whose entry was made under this number with this stamp. Null when others wrote it; tells each only once. */
  takeMade(number: number, stamp: string): string | null;
  /** Makes the next write read every file again. */
  forget(): void;
  /** Whether a write found another folder than the one before it, so that entries written earlier are missing. Tells each only once. */
  takeRenewed(): boolean;
}

/** Remembers the entries of the list, so that the cost of a write does not grow with the list. */
export function createTaskList({ list, project, lockPatienceMs, now }: ListOptions): TaskList {
  const pruned = new Set<string>();
  const made = new Map<number, Made>();
  let isForgotten = false;
  let known: Known | null = null;
  let lastAnchor: string | null = null;
  let isRenewed = false;

  async function allocateLocked(folder: Folder, take: () => readonly Task[]): Promise<Allocation> {
    const anchor = makeLockAnchor(folder);
    if (lastAnchor !== null && anchor !== lastAnchor) isRenewed = true;
    lastAnchor = anchor;
    const changedAt = folder.changedAt();
    const before = !isForgotten && known?.anchor === anchor ? known : null;
    isForgotten = false;
    // Set again after success: after a write that failed half way every file is read anew.
    known = null;
    const allocation = await withLock(join(folder.path, '.lock'), lockPatienceMs, async (lock) => {
      if (before === null) await removeLeftovers(folder, now());
      const isSame = before?.changedAt === changedAt && !lock.wasWaitedFor && isAsKnown(folder, before.index);
      const index = isSame
        ? before.index
        : await scanList(folder, before?.index.entries ?? new Map(), project);
      const allocated = await allocate({ folder, list, project, lock, made }, index, latest(take()));
      lock.assertHeld();
      for (const taskId of await prune(folder, allocated.index)) pruned.add(taskId);
      return allocated;
    });
    // What others make from now on sets another time, so that the next write knows whether it has to look.
    known = { anchor, index: allocation.index, changedAt: folder.markUnchanged(now()) };
    return allocation;
  }

  async function updateAll(folder: Folder, allocation: Allocation): Promise<Map<string, string>> {
    const { index, numbers } = allocation;
    const problems = new Map<string, string>();
    const isOpen = (number: number) => index.entries.get(number)?.finishedAt === null;
    // An update of what has just been pruned would complain that it is gone.
    const existing = allocation.existing.filter(({ id }) => index.entries.has(numbers.get(id) ?? 0));
    const update = async (task: Task): Promise<void> => {
      const number = numbers.get(task.id) ?? 0;
      const fresh = toListTask(task, { number, project, numberOf: index.numberOf });
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
    takeMade(number, stamp) {
      const entry = made.get(number);
      made.delete(number);
      return entry?.stamp === stamp ? entry.taskId : null;
    },
    forget: () => {
      isForgotten = true;
    },
    takeRenewed() {
      const taken = isRenewed;
      isRenewed = false;
      return taken;
    },
  };
}

/** The listed tasks, each once, in its newest state. */
function latest(tasks: readonly Task[]): readonly Task[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()].filter(isListed);
}

/** An entry as it was made. */
interface Made {
  readonly taskId: string;
  readonly stamp: string;
}

/** The list as the last write left it. */
interface Known {
  readonly anchor: string;
  readonly index: ListIndex;
  /** The folder's change time then: while it is the same, no name came or went. */
  readonly changedAt: bigint;
}

/**
 * Looks at what the folder's change time does not tell: the placeholder may be completed in place, and a change at the very
 * moment at which the time was set is not seen. The next number is what another program would have used then.
 */
function isAsKnown(folder: Folder, index: ListIndex): boolean {
  if (index.placeholder === null) return false;
  const file = readListFileNow(folder, index.placeholder);
  if (typeof file === 'string' || !isPlaceholder(file)) return false;
  const next = listFilePath(folder, lastNumber(folder, index) + 1);
  return lstatSync(next, { throwIfNoEntry: false }) === undefined;
}

/** The highest number that is or was in use. */
function lastNumber(folder: Folder, { highest }: ListIndex): number {
  return Math.max(highest, readHighWaterMark(folder));
}

/** Returns what tells this anchor from that of a folder made anew: an inode alone is used again at once. */
function makeLockAnchor(folder: Folder): string {
  const path = join(folder.path, '.lock');
  const { ino, mtimeMs } = lstatSync(path, { throwIfNoEntry: false }) ?? make();
  return `${ino}:${mtimeMs}`;

  function make() {
    try {
      closeSync(openSync(path, 'wx', 0o600));
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    return lstatSync(path);
  }
}

/** The other end of a dependency: the entry `number` blocks the entry `blocks`, which is the task's. */
interface Link {
  readonly task: Task;
  readonly number: number;
  readonly blocks: number;
}

function linksOf({ index, numbers, tasks }: Allocation): readonly Link[] {
  return tasks.flatMap((task) => {
    const blocks = numbers.get(task.id);
    if (blocks === undefined || !index.entries.has(blocks)) return [];
    const blockers = task.dependsOn.map(index.numberOf).filter((number) => number !== undefined);
    return blockers.map((number) => ({ task, number, blocks }));
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
    if (!isDeepStrictEqual(changed, current)) writeListFile(folder, number, changed);
  });
}

/** The list once every task has its number. */
interface Allocation {
  readonly index: ListIndex;
  /** Task id to number, of all that were handed in; also of those that were pruned at once. */
  readonly numbers: ReadonlyMap<string, number>;
  /** All that were handed in. */
  readonly tasks: readonly Task[];
  /** Tasks whose entry was there before: still to be updated. */
  readonly existing: readonly Task[];
}

/** What `allocate` works with, under the list's lock. */
interface AllocationContext {
  readonly folder: Folder;
  readonly list: string;
  readonly project: string;
  readonly lock: HeldLock;
  /** Gets the entries that are made, by number. */
  readonly made: Map<number, Made>;
}

/**
 * Gives every task its number: the one it has, else max(existing, .highwatermark) + 1, and writes the entries that
 * are new. Makes the placeholder if the list has none. Only under the list's lock.
 */
async function allocate(
  context: AllocationContext,
  index: ListIndex,
  tasks: readonly Task[],
): Promise<Allocation> {
  const { folder, project, lock, made } = context;
  const numbers = new Map<string, number>();
  const existing: Task[] = [];
  const noted = tasks.map((task) => notedNumber(task, context.list) ?? 0);
  let last = Math.max(lastNumber(folder, index), ...noted);

  if (index.placeholder === null) {
    last += 1;
    writeListFile(folder, last, placeholderEntry(last));
    index.set(last, { taskId: null, isPlaceholder: true, finishedAt: null });
  }
  const pause = createPauses();
  for (const task of tasks) {
    await pause();
    const known = await findNumber(context, task, index.numberOf(task.id));
    if (known === null) last += 1;
    const number = known?.number ?? last;
    lock.assertHeld();
    if (known?.isWritten) existing.push(task);
    else {
      const entry = toListTask(task, { number, project, numberOf: index.numberOf });
      made.set(number, { taskId: task.id, stamp: writeListFile(folder, number, entry) });
    }
    numbers.set(task.id, number);
    const finishedAt = isFinal(task.status) ? (task.completedAt ?? task.updatedAt) : null;
    index.set(number, { taskId: task.id, isPlaceholder: false, finishedAt });
  }
  return { index, numbers, existing, tasks };
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
