import type { AgentRun, Task } from '../types.ts';
import type { LogLine } from './log-line.ts';

/**
 * What the server adds to a run, so that the agent can speak to it: an MCP server to call, hooks that report, and a
 * token that is good for this run alone. Runners that know nothing of it ignore it.
 */
export interface RunEnvironment {
  /** Configuration of MCP servers, as JSON text (`claude --mcp-config`); written to a file that only the run's user reads. */
  readonly mcpConfig?: string;
  /** Settings with hooks, as JSON text (`claude --settings`); likewise. */
  readonly settings?: string;
  /** Tools that come with it and that the agent may use without asking: `mcp__hookctl`. */
  readonly allowedTools?: readonly string[];
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Where runs get it from: the server, which alone knows its sockets and tokens. */
export interface RunEnvironments {
  /** Asked once for each run, right before it starts. `log` takes what the run reports by this way. */
  open(run: AgentRun, task: Task, log: (line: LogLine) => void): Promise<RunEnvironment>;
  /** The run has ended: its token is good for nothing any more. */
  close(run: AgentRun): void;
}

/** Runs that can't speak to hookctl. */
export const NO_ENVIRONMENTS: RunEnvironments = { open: async () => ({}), close: () => undefined };
