import { markerOf } from '../agents/environment.ts';
import { endMarkedProcesses } from '../lib/marked-processes.ts';
import type { SchedulerContext } from './context.ts';
import { endRun } from './ending.ts';
import { removeScratch } from './scratch.ts';

/**
 * What an earlier server left running: its lease is over, since this process has the folder. Each run is stored as
 * interrupted at once, and only then are its processes looked for, known by the run's id in their environment. Its task
 * is queued again where the agent says `rerunOnCrash`, else it has failed. Returns how many there were.
 */
export async function recoverRuns(context: SchedulerContext): Promise<number> {
  const { store, agents } = context;
  const left = store.openRuns().filter(({ state }) => state === 'running');
  for (const run of left) {
    const again = agents.byName.get(run.agent)?.options.rerunOnCrash === true;
    const text = `hookctl ended while it ran; ${again ? 'it is repeated' : `repeat it: hookctl task retry ${run.taskId}`}`;
    await endRun(context, run, { state: 'interrupted', text, again });
  }
  // Before anything starts again: two runs of one conversation must not meet.
  await endMarkedProcesses(left.map(({ id }) => markerOf(id)));
  await removeScratch(left.map(({ id }) => id));
  return left.length;
}
