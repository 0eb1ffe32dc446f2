import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { createPauses } from '../../lib/time-slicer.ts';
import type { Task } from '../../types.ts';

/** Runs one batch at a time; what is added meanwhile goes into the next `take`. */
interface BatchQueue<Result> {
  /** Resolves when the batch that took these tasks is finished. A batch runs also for no tasks. */
  add(tasks: readonly Task[]): Promise<readonly Result[]>;
}

/** The tasks of one batch. */
export interface Intake {
  /** Takes all tasks that wait now; called as late as possible, so that one batch serves many. */
  take(): readonly Task[];
  /** All that this batch has taken. */
  taken(): readonly Task[];
}

/** Does one batch and returns a result for every task id that it took. Takes at least once, and must not reject. */
type BatchWork<Result> = (intake: Intake) => Promise<ReadonlyMap<string, Result>>;

interface Job<Result> {
  readonly tasks: readonly Task[];
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * After a batch, in milliseconds: for as long as it took, so that Claude Code gets the lock in between; longer for each further task
 * that came at once, so that what a batch costs by itself is shared by more.
 */
const LONGEST_REST_MS = 20;
const REST_PER_TASK_MS = 4;

/** `finish` gets all results of a batch. The next batch does not wait for it; it may reject. */
export function createBatchQueue<Result>(
  work: BatchWork<Result>,
  finish: (results: readonly Result[]) => Promise<void> = async () => undefined,
): BatchQueue<Result> {
  let waiting: Job<Result>[] = [];
  let running = false;
  let restsUntil = 0;

  /** Returns how many tasks it took. */
  async function runBatch(): Promise<number> {
    let taken: readonly Job<Result>[] = [];
    const results = await work({
      take: () => {
        const jobs = waiting;
        taken = [...taken, ...jobs];
        waiting = [];
        return tasksOf(jobs);
      },
      taken: () => tasksOf(taken),
    });
    void answer(taken, results);
    return tasksOf(taken).length;
  }

  async function answer(jobs: readonly Job<Result>[], results: ReadonlyMap<string, Result>): Promise<void> {
    try {
      await finish([...results.values()]);
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
    for (const { tasks, resolve } of jobs) {
      resolve(tasks.map(({ id }) => results.get(id)).filter((result) => result !== undefined));
    }
  }

  async function runAll(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const rest = restsUntil - performance.now();
      // Without a rest, what else comes in this turn of the event loop joins the batch.
      await (rest > 0 ? delay(rest) : turn());
      const begin = performance.now();
      const tasks = await runBatch();
      const end = performance.now();
      const wished = Math.max(end - begin, REST_PER_TASK_MS * (tasks - 1));
      restsUntil = end + Math.min(wished, LONGEST_REST_MS);
    }
    running = false;
  }

  return {
    add(tasks) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Result[]>();
      waiting.push({ tasks, resolve, reject });
      // Not awaited: the first caller would wait for all later ones.
      if (!running) void runAll();
      return promise;
    },
  };
}

function tasksOf(jobs: readonly { readonly tasks: readonly Task[] }[]): readonly Task[] {
  return jobs.flatMap(({ tasks }) => tasks);
}

const SLICE = 8;

/** Works on many items that are waited for, a few at a time: all at once would run out of file handles. */
export async function inSlices<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += SLICE) {
    if (start > 0) await turn();
    await Promise.all(items.slice(start, start + SLICE).map(work));
  }
}

/**
 * Works on many items, one after the other, without leaving the thread: what the system has to do for a small file takes
 * less time than to go elsewhere for it. A sender who waits for an answer has a turn in between.
 */
export async function oneByOne<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => void,
): Promise<void> {
  const pause = createPauses();
  for (const [index, item] of items.entries()) {
    await pause();
    work(item, index);
  }
}
