import { endMarkedProcesses } from '../../lib/process/marked-processes.ts';
import type { AgentRun } from '../../types.ts';
import { markerOf } from '../environment.ts';
import type { SchedulerContext } from './context.ts';
import { endRun } from './ending.ts';
import { removeScratch } from './scratch.ts';

/**
 * What an earlier server left running: its lease is over, since this process has the folder. Each run is stored as
 * interrupted at once, and only then are its processes looked for, known by the run's id in their environment. Its task
 * is queued again where the agent says `rerunOnCrash`, else it has failed. Returns how many there were.
 */
export async function recoverRuns(context: SchedulerContext): Promise<number> {
  const { store } = context;
  const left = store.openRuns().filter(({ state }) => state === 'running');
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
