import { readdir } from 'node:fs/promises';
import { oneByOne } from './batch-queue.ts';
import type { Folder } from './folder.ts';
import { isFinal, isPlaceholder, type ListTask } from './list-entry.ts';
import { readListFileNow } from './list-file.ts';

/** What hookctl remembers of one number of a list, so that no file is read twice. */
interface Entry {
  /** hookctl's task; null for the placeholder and for what others put there. */
  readonly taskId: string | null;
  readonly isPlaceholder: boolean;
  /**
   * When a finished task of this project ended, in epoch milliseconds; 0 when it was found on disk only, and so is
   * older than all that the store still hands in. Null when it is not finished, or another project's.
   */
  readonly finishedAt: number | null;
}

type Entries = ReadonlyMap<number, Entry>;

/** A list as hookctl knows it. It is kept from one write to the next, so that a write does not cost more in a longer list. */
export interface ListIndex {
  readonly entries: Entries;
  /** The highest number in use, also by names that hold no valid entry; 0 for an empty list. */
  readonly highest: number;
  /** Null when the list has none. */
  readonly placeholder: number | null;
  /** Numbers of this project's finished tasks. */
  readonly finished: ReadonlySet<number>;
  /** Undefined when the task has no entry. */
  numberOf(taskId: string): number | undefined;
  set(number: number, entry: Entry): void;
  delete(number: number): void;
}

function createListIndex(lowest: number): ListIndex {
  const entries = new Map<number, Entry>();
  const byTask = new Map<string, number>();
  const finished = new Set<number>();
  let highest = lowest;
  let placeholder: number | null = null;

  function remove(number: number): void {
    const { taskId = null } = entries.get(number) ?? {};
    if (taskId !== null && byTask.get(taskId) === number) byTask.delete(taskId);
    if (placeholder === number) placeholder = null;
    finished.delete(number);
    entries.delete(number);
  }

  return {
    entries,
    finished,
    get highest() {
      return highest;
    },
    get placeholder() {
      return placeholder;
    },
    numberOf: (taskId) => byTask.get(taskId),
    set(number, entry) {
      remove(number);
      entries.set(number, entry);
      if (entry.taskId !== null) byTask.set(entry.taskId, number);
      if (entry.isPlaceholder) placeholder = number;
      if (entry.finishedAt !== null) finished.add(number);
      highest = Math.max(highest, number);
    },
    delete: remove,
  };
}

/** Lists the names, which Claude Code adds to as well, and reads only the placeholder and what is not in `known`. */
export async function scanList(folder: Folder, known: Entries, project: string): Promise<ListIndex> {
  const numbers = await numbersIn(folder);
  const index = createListIndex(numbers.reduce((most, number) => Math.max(most, number), 0));
  const unknown: number[] = [];
  for (const number of numbers) {
    const before = known.get(number);
    // The placeholder is looked at every time: one that somebody completed or replaced no longer protects the list.
    if (before === undefined || before.isPlaceholder) unknown.push(number);
    else index.set(number, before);
  }
  await oneByOne(unknown, (number) => {
    const file = readListFileNow(folder, number);
    // What cannot be read now may be valid next time.
    if (typeof file !== 'string') index.set(number, toEntry(file, project));
  });
  return index;
}

/** The numbers that files of a list have, each once. */
export async function numbersIn(folder: Folder): Promise<readonly number[]> {
  const numbers = (await readdir(folder.path)).map((name) =>
    Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN),
  );
  return [...new Set(numbers.filter(Number.isSafeInteger))];
}

function toEntry(task: ListTask, project: string): Entry {
  const { orchestration_task_id: taskId, project: owner, state } = task.metadata ?? {};
  const isOwn = typeof taskId === 'string';
  return {
    taskId: isOwn ? taskId : null,
    isPlaceholder: isPlaceholder(task),
    finishedAt: isOwn && owner === project && isFinal(state) ? 0 : null,
  };
}
