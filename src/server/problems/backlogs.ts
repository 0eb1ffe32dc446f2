import { commandLine } from '../../lib/shell-quote.ts';
import type { LastingProblem, ProblemSource } from './problem.ts';

/** Tasks that were queued before their agent was configured: to run them all at once is for a person to decide. */
export function backlogs({ store }: ProblemSource): readonly LastingProblem[] {
  return store.backlogs().map(({ agent, tasks }) => {
    const what = tasks === 1 ? '1 task was' : `${tasks.toLocaleString('en-US')} tasks were`;
    const release = commandLine('hookctl', 'task', 'release', agent);
    const cancel = commandLine('hookctl', 'task', 'cancel', '--status', 'queued', '--agent', agent);
    const text = `${what} queued for ${agent} before it was configured, and wait. Run them: ${release}. Or cancel them: ${cancel}`;
    return { key: `backlog:${agent}`, text };
  });
}
