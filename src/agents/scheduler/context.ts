import type { Agents } from '../../config/project/agents.ts';
import type { Repositories } from '../../config/project/repositories.ts';
import type { Prices, RunLimits } from '../../config/project/schema.ts';
import type { TaskContext } from '../../tasks/sync.ts';
import type { AgentRun, Task } from '../../types.ts';
import type { RunEnvironments } from '../runner.ts';
import type { Workspaces } from '../workspace/workspaces.ts';

/** What the scheduler works with. */
export interface SchedulerContext extends TaskContext {
  readonly agents: Agents;
  readonly limits: RunLimits;
  readonly repositories: Repositories;
  /** `prices` of webhooks.yml. */
  readonly prices: Prices;
  /** Folder of webhooks.yml. */
  readonly projectFolder: string;
  readonly dataFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of variables that no run gets, as of now. */
  readonly secretNames: () => ReadonlySet<string>;
  /** Name of Claude Code's task list for an owner's tasks; null where it is switched off. */
  readonly taskListOf: (owner: string) => string | null;
  readonly environments: RunEnvironments;
  readonly workspaces: Workspaces;
  /** Takes secrets out of what a run says before it is stored or posted. */
  readonly redact: (text: string) => string;
  readonly report: SchedulerReporter;
}

/** Called with everything that happens to runs. */
interface SchedulerReporter {
  /** A run was started, or has ended. */
  run(run: AgentRun): void;
  /** What a run does now: now and then, not every line. */
  progress(run: AgentRun, text: string): void;
  /** Runs are held, because a budget is used up. */
  held(reason: string): void;
  /** A budget is spent to 80 %. */
  budget(text: string): void;
  /** A task moved on by a run. */
  task(task: Task): void;
  /** The store or the machine fails; scheduling goes on. */
  broken(error: unknown): void;
}

/** The actor of an agent's steps in a task's history. */
export function actorOf(agent: string): string {
  return `agent:${agent}`;
}
