import { createPauses } from '../../lib/time-slicer.ts';
import type { Task } from '../../types.ts';
import type { Folder } from './folder.ts';
import { readHighWaterMark, readListFile, writeListFile } from './list-file.ts';
import { isFinal, toListTask } from './list-task.ts';
import type { HeldLock } from './lock.ts';
import { placeholderEntry } from './placeholder-entry.ts';
import type { Entries, Entry, ListScan } from './scan.ts';

/** Where the list stands after every task has its number. */
export interface Allocation {
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
 * are new. Makes the keeper if the list has none. Only under the list's lock.
 */
export async function allocate(
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

  if (![...found.values()].some(({ isKeeper }) => isKeeper)) {
    last += 1;
    await writeListFile(folder, last, placeholderEntry(last));
    entries.set(last, { taskId: null, isKeeper: true, finishedAt: null });
  }
  const pause = createPauses();
  for (const task of tasks) {
    await pause();
    const place = await findPlace(context, task, byTask.get(task.id));
    if (place === null) last += 1;
    const number = place?.number ?? last;
    lock.assertHeld();
    if (place?.isWritten) existing.push(task);
    else await writeListFile(folder, number, toListTask(task, { number, project, numberOf }));
    numbers.set(task.id, number);
    entries.set(number, entryOf(task));
  }
  return { entries, numbers, existing, numberOf, tasks };
}

function entryOf(task: Task): Entry {
  const finishedAt = isFinal(task.status) ? (task.completedAt ?? task.updatedAt) : null;
  return { taskId: task.id, isKeeper: false, finishedAt };
}

interface Place {
  readonly number: number;
  /** False: the number is this task's, but its entry is gone or damaged. */
  readonly isWritten: boolean;
}

/**
 * The number a task already has: by the entry that names it (hookctl may have died before the number was noted), or
 * by the note. A number that leads to somebody else's entry is not used, so that no entry is ever overwritten.
 */
async function findPlace(
  { folder, list }: AllocationContext,
  task: Task,
  onDisk: number | undefined,
): Promise<Place | null> {
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

/** The number that `source_metadata.claude_list` notes for this list. */
function notedNumber(task: Task, list: string): number | undefined {
  const note = task.sourceMetadata.claude_list;
  if (typeof note !== 'object' || note === null || !('number' in note)) return undefined;
  const { list: notedList, number } = note;
  return notedList === list && Number.isSafeInteger(number) && Number(number) > 0
    ? Number(number)
    : undefined;
}
