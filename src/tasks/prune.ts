import { setTimeout as delay } from 'node:timers/promises';
import { HookctlError } from '../errors.ts';
import type { KeptCode, PrunableTree, TaskReader, TreeFilter } from '../store/tasks.ts';
import type { AgentRun, Task } from '../types.ts';
import { isEnd } from './lifecycle.ts';
import type { TaskContext } from './sync.ts';

/** Which tasks a pruning removes. */
export interface TaskPruneLimits extends Pick<TreeFilter, 'samples'> {
  /** See `TreeFilter`. Null removes all that ended, or all samples. */
  readonly before: number | null;
}

/** Tasks that stay for one reason. */
interface KeptTasks {
  /** In words. */
  readonly reason: string;
  readonly tasks: number;
  /** One of them: the task that initiated the others. */
  readonly first: string;
}

export interface PrunedTasks {
  readonly tasks: number;
  /** Open tasks of samples that were cancelled first. */
  readonly cancelled: number;
  readonly kept: readonly KeptTasks[];
}

/** The result of one call. */
export interface PrunedPart extends PrunedTasks {
  /** There may be more to remove: one call ends after some seconds, whatever there is. */
  readonly more: boolean;
}

interface PruneSteps {
  /** Cancels an open sample. */
  readonly cancel: (task: Task) => Promise<unknown>;
  /** Called with the runs of removed tasks. */
  readonly removed: (runs: readonly AgentRun[]) => Promise<void>;
}

/** Trees of tasks in one transaction; between two others have their turn. */
const STEP = 100;
const PAUSE_MS = 10;
/** About as many tasks as one call removes: a client that asks over HTTP waits for the answer. */
const MOST = 10_000;
/** The program of a cancelled run is given so long to end. */
const END_PATIENCE_MS = 15_000;
const POLL_MS = 50;

const REASONS: Readonly<Record<KeptCode | 'changed', string>> = {
  open: 'a task that belongs to them is open',
  later: 'a task that belongs to them ended later',
  running: 'a run of theirs has not ended',
  unsent: 'a reply about them is still to be sent',
  needed: 'an open task depends on them',
  changed: 'they were changed meanwhile',
};

/** What a pruning would remove, and keep. */
export function plannedPrune(
  store: Pick<TaskReader, 'prunableTrees' | 'tree'>,
  limits: TaskPruneLimits,
): PrunedTasks {
  const tally = createTally();
  for (const page of pages(store, filterOf(limits))) {
    for (const tree of page) {
      if (limits.samples && tree.kept === 'open') tally.removed(tree.tasks, openTasks(store, tree).length);
      else if (tree.kept === null) tally.removed(tree.tasks);
      else tally.kept(REASONS[tree.kept], tree);
    }
  }
  return tally.result();
}

/**
 * Removes ended tasks, each with all that it initiated, in small steps beside the traffic. Their files go first: when this is
 * interrupted, the store still has the tasks, and the next start writes the files again.
 */
export async function pruneTasks(
  context: TaskContext,
  limits: TaskPruneLimits,
  steps: PruneSteps,
): Promise<PrunedPart> {
  const { store } = context;
  const filter = filterOf(limits);
  const tally = createTally();
  if (limits.samples) tally.removed(0, await cancelSamples(store, filter, steps));
  let problem: string | null = null;
  for (const page of pages(store, filter)) {
    if (tally.result().tasks >= MOST) return { ...tally.result(), more: true };
    const free = page.filter(({ kept }) => kept === null);
    for (const tree of page) if (tree.kept !== null) tally.kept(REASONS[tree.kept], tree);
    problem ??= free.length === 0 ? null : await removeFiles(context, free);
    if (problem === null) await removeTrees(context, free, filter, steps, tally);
    else for (const tree of free) tally.kept(`Claude’s list could not be changed: ${problem}`, tree);
    await delay(PAUSE_MS);
  }
  return { ...tally.result(), more: false };
}

function filterOf({ before, samples }: TaskPruneLimits): TreeFilter {
  return { before: before ?? Number.MAX_SAFE_INTEGER, samples };
}

/** Each is read when the one before was worked off. */
function* pages(store: Pick<TaskReader, 'prunableTrees'>, filter: TreeFilter) {
  for (let after = ''; ; ) {
    const page = store.prunableTrees(filter, after, STEP);
    if (page.length > 0) yield page;
    if (page.length < STEP) return;
    after = page.at(-1)?.id ?? after;
  }
}

/** Resolves with how many, once their runs have ended or had long enough for it. */
async function cancelSamples(
  store: TaskContext['store'],
  filter: TreeFilter,
  { cancel }: PruneSteps,
): Promise<number> {
  let cancelled = 0;
  for (const page of pages(store, filter)) {
    const open = page.filter(({ kept }) => kept === 'open').flatMap((tree) => openTasks(store, tree));
    for (const task of open) cancelled += (await cancel(task).then(() => true, endedBefore)) ? 1 : 0;
  }
  const isRunning = () => [...pages(store, filter)].flat().some(({ kept }) => kept === 'running');
  for (const deadline = performance.now() + END_PATIENCE_MS; cancelled > 0 && isRunning(); ) {
    if (performance.now() > deadline) break;
    await delay(POLL_MS);
  }
  return cancelled;
}

function openTasks(store: Pick<TaskReader, 'tree'>, { id }: PrunableTree): readonly Task[] {
  return store.tree(id).filter(({ status }) => !isEnd(status));
}

/** The task was ended in the meantime. */
function endedBefore(error: unknown): false {
  if (error instanceof HookctlError && error.code === 'task_state') return false;
  throw error;
}

/** Null, or why Claude's list could not be changed. */
function removeFiles({ store, claude }: TaskContext, trees: readonly PrunableTree[]): Promise<string | null> {
  return claude.remove(trees.flatMap(({ id }) => store.tree(id)));
}

async function removeTrees(
  { store, claude, clock }: TaskContext,
  trees: readonly PrunableTree[],
  filter: TreeFilter,
  { removed }: PruneSteps,
  tally: Tally,
): Promise<void> {
  if (trees.length === 0) return;
  const tasks = trees.flatMap(({ id }) => store.tree(id));
  const runs = tasks.flatMap(({ id }) => store.runsOfTask(id));
  const gone = new Set(await store.pruneTrees(trees, filter, clock.now()));
  tally.removed(gone.size);
  for (const tree of trees) if (!gone.has(tree.id)) tally.kept(REASONS.changed, tree);
  await removed(runs.filter(({ taskId }) => gone.has(taskId)));
  const left = tasks.filter(({ id, syncToClaudeTasks }) => syncToClaudeTasks && !gone.has(id));
  await store.noteSync(await claude.project(left.flatMap(({ id }) => store.task(id) ?? [])));
}

interface Tally {
  removed(tasks: number, cancelled?: number): void;
  kept(reason: string, tree: PrunableTree): void;
  result(): PrunedTasks;
}

function createTally(): Tally {
  const all = { tasks: 0, cancelled: 0 };
  const kept = new Map<string, KeptTasks>();
  return {
    removed(tasks, cancelled = 0) {
      all.tasks += tasks;
      all.cancelled += cancelled;
    },
    kept(reason, { id, tasks }) {
      const before = kept.get(reason);
      kept.set(reason, { reason, tasks: (before?.tasks ?? 0) + tasks, first: before?.first ?? id });
    },
    result: () => ({ ...all, kept: [...kept.values()] }),
  };
}
