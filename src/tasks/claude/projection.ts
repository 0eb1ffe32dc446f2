import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SyncNote } from '../../store/tasks.ts';
import type { Task } from '../../types.ts';
import { type Intake, oneByOne } from './batch-queue.ts';
import { type Folder, openFolder, reasonOf, unwritable } from './folder.ts';
import type { ListOutcome, TaskList } from './list.ts';
import { isListed } from './list-entry.ts';
import { recordId, writeRecord } from './record.ts';

/** Where and in which forms a batch is written. */
export interface Target {
  readonly configDir: string;
  readonly explicit: boolean;
  /** The list form; null when it is switched off. */
  readonly list: TaskList | null;
  /** Folder name of the list, for the notes. */
  readonly listName: string;
  readonly recordEnabled: boolean;
  readonly project: string;
  /** Runs on the checked tasks folder before anything is written. */
  readonly prepare: (tasksFolder: Folder) => Promise<void>;
}

/** The result of a batch. */
interface Projected {
  /** By task id, one for every task that was taken. */
  readonly notes: ReadonlyMap<string, SyncNote>;
  /** Why a form as a whole cannot be written; null when all is well. */
  readonly problem: string | null;
}

type Problems = ReadonlyMap<string, string>;

/** Writes one batch in every form that is on. Never rejects: a form that fails is told by the notes. */
export async function projectBatch(target: Target, intake: Intake): Promise<Projected> {
  try {
    const written = await writeForms(target, intake);
    return { notes: notesOf(target, intake.taken(), written), problem: written.listProblem };
  } catch (error) {
    const problem = reasonOf(error, join(target.configDir, 'tasks'));
    intake.take();
    const recordProblems = new Map(intake.taken().map(({ id }) => [id, problem]));
    const written = { list: null, listProblem: problem, recordProblems };
    return { notes: notesOf(target, intake.taken(), written), problem };
  }
}

interface Written {
  readonly list: ListOutcome | null;
  readonly listProblem: string | null;
  readonly recordProblems: Problems;
}

async function writeForms(target: Target, intake: Intake): Promise<Written> {
  const folder = await openTasksFolder(target);
  try {
    await target.prepare(folder);
    const list = await writeList(target, folder, intake.take);
    // Without a list nothing was taken yet; after a list that failed, later tasks can still get their records.
    if (list === null || typeof list === 'string') intake.take();
    const recordProblems = target.recordEnabled
      ? await writeRecords(folder, intake.taken(), target.project)
      : new Map();
    await folder.assertInPlace();
    return typeof list === 'string'
      ? { list: null, listProblem: list, recordProblems }
      : { list, listProblem: null, recordProblems };
  } finally {
    await folder.close();
  }
}

/** The reason, as text, when the list as a whole failed: the records do not depend on it. */
async function writeList(
  { list }: Target,
  folder: Folder,
  take: () => readonly Task[],
): Promise<ListOutcome | string | null> {
  if (list === null) return null;
  return list.write(folder, take).catch((error: unknown) => reasonOf(error, folder.name));
}

async function writeRecords(folder: Folder, tasks: readonly Task[], project: string): Promise<Problems> {
  const problems = new Map<string, string>();
  const newest = [...new Map(tasks.map((task) => [task.id, task])).values()];
  await oneByOne(newest, (task) => {
    try {
      writeRecord(folder, task, project);
    } catch (error) {
      problems.set(task.id, reasonOf(error, folder.name));
    }
  });
  return problems;
}

/** `<config>/tasks`. Only a folder that the user named is made: without Claude Code nothing would read it. */
async function openTasksFolder({ configDir, explicit }: Target): Promise<Folder> {
  if (explicit) {
    try {
      mkdirSync(configDir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unwritable(reasonOf(error, configDir));
    }
  } else if (isAbsent(configDir)) {
    throw unwritable(`${configDir} does not exist: start Claude Code once, or set CLAUDE_CONFIG_DIR`);
  }
  const path = join(configDir, 'tasks');
  return openFolder(path, path);
}

function isAbsent(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function notesOf(target: Target, tasks: readonly Task[], written: Written): ReadonlyMap<string, SyncNote> {
  return new Map(tasks.map((task) => [task.id, noteOf(target, task, written)]));
}

function noteOf(target: Target, task: Task, { list, listProblem, recordProblems }: Written): SyncNote {
  const { id } = task;
  const number = list?.numbers.get(id);
  const entryProblem = isListed(task) ? (listProblem ?? list?.problems.get(id) ?? null) : null;
  const recordProblem = target.recordEnabled ? (recordProblems.get(id) ?? null) : null;
  return {
    taskId: id,
    claudeTaskId: target.recordEnabled && recordProblem === null ? recordId(id) : null,
    claudeList: number === undefined ? null : { list: target.listName, number },
    unsynced: entryProblem ?? recordProblem,
  };
}
