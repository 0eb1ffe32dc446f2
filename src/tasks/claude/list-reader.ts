import { join } from 'node:path';
import { createPauses } from '../../lib/time-slicer.ts';
import type { Task } from '../../types.ts';
import { type Folder, openExistingFolder } from './folder.ts';
import { type ListStatus, notedEntry, statusByOthers } from './list-entry.ts';
import { listFileStamp, readListFile } from './list-file.ts';
import { numbersIn } from './list-index.ts';

/** A status that another program or a person gave an entry of this project. */
export interface EntryChange {
  readonly taskId: string;
  readonly status: ListStatus;
}

/** What other programs and people changed in the list since the last reading. */
export interface Reading {
  readonly changes: readonly EntryChange[];
  /** Tasks of this project whose entries are gone; what hookctl pruned is not among them. */
  readonly removed: readonly string[];
}

/** Reads changes that Claude Code and people made to a list. */
export interface ListReader {
  /** Reads only what changed. Null when the folder is not there, or is not what it should be. */
  read(): Promise<Reading | null>;
  /** Makes the next reading look into every file again. */
  forget(): void;
}

interface ReaderOptions {
  readonly tasksDir: string;
  /** Folder name of the list. */
  readonly list: string;
  /** Entries of other projects in the same list are theirs to read. */
  readonly project: string;
  readonly isPruned: (taskId: string) => boolean;
  /** See `TaskList.takeMade`: such an entry need not be read. */
  readonly madeBy: (number: number, stamp: string) => string | null;
}

/** An entry as it was read, with a stamp that tells whether it changed since. */
interface Seen {
  readonly stamp: string;
  readonly taskId: string | null;
  readonly change: EntryChange | null;
}

/** Files that are looked at between two looks at the clock. */
const PACE = 32;

export function createListReader({ tasksDir, list, project, isPruned, madeBy }: ReaderOptions): ListReader {
  let seen: ReadonlyMap<number, Seen> = new Map();

  async function readFolder(folder: Folder): Promise<Reading> {
    const found = new Map<number, Seen>();
    const changes: EntryChange[] = [];
    const pause = createPauses();
    for (const [at, number] of (await numbersIn(folder)).entries()) {
      if (at % PACE === 0) await pause();
      const stamp = listFileStamp(folder, number);
      if (stamp === null) continue;
      const before = seen.get(number);
      if (before?.stamp === stamp) {
        found.set(number, before);
        continue;
      }
      const own = madeBy(number, stamp);
      const now =
        own === null ? await look(folder, number, stamp, project) : { stamp, taskId: own, change: null };
      found.set(number, now);
      if (now.change !== null) changes.push(now.change);
    }
    const left = new Set([...found.values()].map(({ taskId }) => taskId));
    const gone = [...seen.values()].flatMap(({ taskId }) => taskId ?? []).filter((id) => !left.has(id));
    seen = found;
    return { changes, removed: gone.filter((id) => !isPruned(id)) };
  }

  return {
    async read() {
      const folder = await openList(tasksDir, list);
      if (folder === null) return null;
      try {
        return await readFolder(folder);
      } catch {
        // Removed while it was read: the next reading finds out what is left.
        return null;
      } finally {
        await folder.close();
      }
    },
    forget() {
      seen = new Map([...seen].map(([number, entry]) => [number, { ...entry, stamp: '' }]));
    },
  };
}

/** Null when the list does not exist: only the projection makes one. */
async function openList(tasksDir: string, list: string): Promise<Folder | null> {
  const path = join(tasksDir, list);
  try {
    return await openExistingFolder(path, path);
  } catch {
    return null;
  }
}

async function look(folder: Folder, number: number, stamp: string, project: string): Promise<Seen> {
  const file = await readListFile(folder, number);
  if (typeof file === 'string') return { stamp, taskId: null, change: null };
  const { orchestration_task_id: taskId, project: owner } = file.metadata ?? {};
  if (typeof taskId !== 'string' || owner !== project) return { stamp, taskId: null, change: null };
  const status = statusByOthers(file);
  return { stamp, taskId, change: status === null ? null : { taskId, status } };
}

/**
 * The owner that an entry names, or the session that set its status, in words. Null when the task is free, or has no entry.
 * Read from the disk, which may be newer than the last reading.
 */
export async function claimantOf(tasksDir: string, list: string, task: Task): Promise<string | null> {
  const noted = notedEntry(task);
  if (noted?.list !== list) return null;
  const entry = await readListFile({ path: join(tasksDir, list) }, noted.number);
  if (typeof entry === 'string' || entry.metadata?.orchestration_task_id !== task.id) return null;
  const status = statusByOthers(entry);
  if (status === 'in_progress' || status === 'completed') return entry.owner ?? 'a session';
  return entry.owner ?? null;
}
