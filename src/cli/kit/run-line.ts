import type { Style } from '../../lib/io.ts';
import { shorten } from '../../lib/text/escape-invisible.ts';
import type { AgentRun } from '../../types.ts';
import { duration } from './print.ts';

const REASON_LENGTH = 200;

/** One line for a run that was started or has ended: `planning completed in 12.3 s, $0.4210: …`. */
export function runLine(run: AgentRun): string {
  const { id, agent, taskId, state, reason, startedAt, endedAt, usage, folder } = run;
  if (endedAt === null || startedAt === null) return `${agent} works on ${taskId} in ${folder}  [${id}]`;
  const cost = usage.costUsd === null ? '' : `, $${usage.costUsd.toFixed(4)}`;
  const why = reason === null ? '' : `: ${shorten(reason, REASON_LENGTH)}`;
  return `${agent} ${state} on ${taskId} in ${duration(endedAt - startedAt)}${cost}${why}  [${id}]`;
}

export function runStyle({ state }: AgentRun): Style {
  if (state === 'failed' || state === 'interrupted') return 'red';
  return state === 'completed' ? 'green' : 'yellow';
}
