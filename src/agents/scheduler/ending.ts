import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endMarkedProcesses } from '../../lib/process/marked-processes.ts';
import type { RunEnding, TaskEnding } from '../../store/runs.ts';
import { whenBack } from '../../store/shared.ts';
import { progressReply } from '../../tasks/comments.ts';
import { isEnd } from '../../tasks/lifecycle.ts';
import { syncTasks } from '../../tasks/sync.ts';
import { changeOf } from '../../tasks/transition.ts';
import { type AgentRun, NO_USAGE, type RunEnd, type RunUsage, type Task } from '../../types.ts';
import { markerOf } from '../environment.ts';
import { actorOf, type SchedulerContext } from './context.ts';

/** How a run ended, before that is stored. */
export interface Ended {
  readonly state: RunEnd;
  /** The result of a completed run; why any other one ended. */
  readonly text: string;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  readonly usage?: RunUsage;
  readonly denials?: readonly string[];
  readonly cause?: AgentRun['cause'];
  /** Counters of its session by now. */
  readonly meter?: RunEnding['meter'];
  /** When a rate limit lets it be repeated. */
  readonly retryAt?: number | null;
  /** An interrupted run is to be repeated. */
  readonly again?: boolean;
}

/**
 * Stores the end of a run together with what becomes of its task: completed, failed, or queued again. Where the task
 * has moved on by itself meanwhile (completed by the agent's own tools, cancelled, waiting for an answer) it stays there
 * and its usage is added. The run's result edits the comment in the thread that the task came from.
 */
export async function endRun(context: SchedulerContext, run: AgentRun, ended: Ended): Promise<void> {
  const { store, clock, report } = context;
  const { exitCode = null, signal = null, usage = NO_USAGE, denials = [] } = ended;
  const { cause = null, meter = null, retryAt = null } = ended;
  for (;;) {
    // Another machine, or this one a moment ago, may have ended it.
    if ((await whenBack(() => store.run(run.id)))?.state !== 'running') return;
    const task = await whenBack(() => store.task(run.taskId));
    const ending: RunEnding = {
      ...{ id: run.id, state: ended.state, exitCode, signal, usage, denials, meter, retryAt },
      cause: ended.state === 'failed' ? cause : null,
      reason: ended.state === 'completed' ? null : ended.text,
      at: clock.now(),
      task: task === null ? null : await whenBack(() => taskEnding(context, run, task, ended, usage)),
    };
    const changed = await store.endRun(ending);
    // Null when the task moved meanwhile: its next status is decided anew.
    if (changed === null && task !== null) continue;
    const [synced] = changed === null ? [] : await syncTasks(context, [changed]);
    const stored = await whenBack(() => store.run(run.id));
    if (stored !== null) report.run(stored);
    // A task that moved on by itself was told when it did.
    if (synced !== undefined && ending.task?.kind === 'change') report.task(synced);
    return;
  }
}

function taskEnding(
  context: SchedulerContext,
  { agent }: AgentRun,
  task: Task,
  ended: Ended,
  usage: RunUsage,
): TaskEnding {
  const { costUsd, inputTokens, outputTokens } = usage;
  const spent = { costUsd, inputTokens, outputTokens };
  const completed = ended.state === 'completed';
  const isOurs = task.status === 'running' || (completed && task.status === 'queued');
  if (!isOurs) return { kind: 'report', report: reportOf(context, task, ended, spent) };
  const actor = actorOf(agent);
  if (completed) {
    const step = { event: 'complete', to: 'completed' } as const;
    return { kind: 'change', change: changeOf(context, task, step, { actor, result: ended.text, spent }) };
  }
  if (ended.again === true) {
    const step = { event: 'release', to: 'queued' } as const;
    const change = changeOf(context, task, step, { actor, spent });
    return { kind: 'change', change: { ...change, reason: ended.text } };
  }
  const step = { event: 'fail', to: 'failed' } as const;
  return { kind: 'change', change: changeOf(context, task, step, { actor, error: ended.text, spent }) };
}

type Report = Extract<TaskEnding, { kind: 'report' }>['report'];

function reportOf(
  { store, ids, clock }: SchedulerContext,
  task: Task,
  { state, text }: Ended,
  spent: Report['spent'],
): Report {
  const adds = task.status === 'completed' && task.result === null && state === 'completed';
  const result = adds ? text : null;
  const root = store.task(task.initiatedTaskId) ?? task;
  const costUsd = task.usage.costUsd === null ? spent.costUsd : task.usage.costUsd + (spent.costUsd ?? 0);
  const progress = {
    to: task.status,
    actor: store.transitions(task.id).at(-1)?.actor ?? '',
    result: task.result ?? result,
    error: task.error,
    question: null,
    costUsd,
  };
  // A comment that can't be edited is not posted twice for the sake of what it cost.
  const isSaid = isEnd(task.status) && (adds || isEdited(root));
  const reply = isSaid ? progressReply(ids, task, root, progress) : null;
  return { taskId: task.id, from: task.status, result, spent, reply, at: clock.now() };
}

function isEdited({ sourceMetadata: { reply } }: Task): boolean {
  return (reply as { edits?: boolean } | undefined)?.edits === true;
}

/**
 * What an earlier server left running: its lease is over, since this process has the folder, or the database says so. Each run is stored as
 * interrupted at once, and only then are its processes looked for, known by the run's id in their environment. Its task
 * is queued again where the agent says `rerunOnCrash`, else it has failed. Returns how many there were.
 */
export async function recoverRuns(context: SchedulerContext): Promise<number> {
  const { store } = context;
  const isLeft = (id: string) => store.shared == null || store.shared.ownerOfRun(id) === 'gone';
  const left = store.openRuns().filter(({ id, state }) => state === 'running' && isLeft(id));
  for (const run of left) {
    const again = isRepeated(context, run);
    const text = interruptedText(context, run, 'hookctl ended while it ran');
    await endRun(context, run, { state: 'interrupted', text, again });
  }
  // Before anything starts again: two runs of one conversation must not meet.
  await endMarkedProcesses(left.map(({ id }) => markerOf(id)));
  await removeScratch(left.map(({ id }) => id));
  return left.length;
}

function isRepeated({ agents }: Pick<SchedulerContext, 'agents'>, { agent }: AgentRun): boolean {
  return agents.byName.get(agent)?.options.rerunOnCrash === true;
}

/** Why a run was cut short, and what becomes of its task. */
export function interruptedText(
  context: Pick<SchedulerContext, 'agents'>,
  run: AgentRun,
  why: string,
): string {
  return `${why}; ${isRepeated(context, run) ? 'it is repeated' : `repeat it: hookctl task retry ${run.taskId}`}`;
}

/** A folder (0700) for files of one run. Not in the data folder: a run learns its path, and that folder holds secrets. */
export function makeScratch(runId: string): Promise<string> {
  return mkdtemp(join(tmpdir(), prefixOf(runId)));
}

/** Removes what killed servers left of these runs. */
async function removeScratch(runIds: readonly string[]): Promise<void> {
  const names = runIds.length === 0 ? [] : await readdir(tmpdir());
  const left = names.filter((name) => runIds.some((id) => name.startsWith(prefixOf(id))));
  // A folder of another user can't be removed and stays.
  for (const name of left) await rm(join(tmpdir(), name), { recursive: true }).catch(() => undefined);
}

function prefixOf(runId: string): string {
  return `hookctl-${runId}-`;
}
