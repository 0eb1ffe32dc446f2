import { readdir } from 'node:fs/promises';
import type { Folder } from './folder.ts';
import { readListFileNow } from './list-file.ts';
import { isFinal, type ListTask } from './list-task.ts';
import { isKeeper } from './placeholder-entry.ts';
import { oneByOne } from './slices.ts';

/** What hookctl remembers of one number of a list, so that no file is read twice. */
export interface Entry {
  /** hookctl's task; null for the keeper and for what others put there. */
  readonly taskId: string | null;
  readonly isKeeper: boolean;
  /**
   * When a finished task of this project ended, in epoch milliseconds; 0 when it was found on disk only, and so is
   * older than all that the store still hands in. Null: not finished, or not this project's to remove.
   */
  readonly finishedAt: number | null;
}

export type Entries = ReadonlyMap<number, Entry>;

/** A list as its folder has it now. */
export interface ListScan {
  readonly entries: Entries;
  /** The highest number in use, also by names that hold no valid entry; 0 for an empty list. */
  readonly highest: number;
}

/** Lists the names, which Claude Code adds to as well, and reads only the keeper and what is not in `known`. */
export async function scanList(folder: Folder, known: Entries, project: string): Promise<ListScan> {
  const numbers = (await readdir(folder.path)).map(numberOf).filter((number) => number !== null);
  const entries = new Map<number, Entry>();
  const unknown: number[] = [];
  for (const number of numbers) {
    const before = known.get(number);
    // The keeper is looked at every time: one that somebody completed or replaced no longer protects the list.
    if (before === undefined || before.isKeeper) unknown.push(number);
    else entries.set(number, before);
  }
  await oneByOne(unknown, (number) => {
    const entry = identify(folder, number, project);
    if (entry !== null) entries.set(number, entry);
  });
  return { entries, highest: numbers.reduce((most, number) => Math.max(most, number), 0) };
}

function numberOf(name: string): number | null {
  const number = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : null;
}

/** Null for what cannot be read: it may be valid next time. */
function identify(folder: Folder, number: number, project: string): Entry | null {
  const file = readListFileNow(folder, number);
  return typeof file === 'string' ? null : toEntry(file, project);
}

function toEntry(task: ListTask, project: string): Entry {
  const { orchestration_task_id: taskId, project: owner, state } = task.metadata ?? {};
  const isOwn = typeof taskId === 'string';
  return {
    taskId: isOwn ? taskId : null,
    isKeeper: isKeeper(task),
    finishedAt: isOwn && owner === project && isFinal(state) ? 0 : null,
  };
}
