const RUN_STATES = ['waiting', 'held', 'running', 'completed', 'failed', 'cancelled', 'interrupted'] as const;
/**
 * `waiting | held → running → completed | failed | cancelled | interrupted`. `held`: over a budget. `interrupted`:
 * hookctl itself ended, or was killed, while it ran.
 */
type RunState = (typeof RUN_STATES)[number];

/** How a run can end. */
export type RunEnd = Exclude<RunState, 'waiting' | 'held' | 'running'>;

/**
 * Why a run failed, as far as the program tells it apart. `no_login`: the API takes no or another key. `rate_limited`: the
 * run is repeated later. `refused`: the API or a permission said no. `killed`: by a signal that hookctl did not send.
 * `stopped`: by a limit of hookctl.
 */
export type RunCause = 'no_login' | 'rate_limited' | 'refused' | 'killed' | 'stopped' | 'failed';

/** Tokens that one model took; `input` without those of the cache. Model: null when the program does not name it. */
export interface ModelTokens {
  readonly model: string | null;
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
  /** Dollars, where the program counts them by session. */
  readonly costUsd?: number;
}

/** One attempt of an agent at a task. A task that is retried has several. Times are epoch milliseconds. */
export interface AgentRun {
  /** `run-…`; also in the environment of everything that the run starts, as `HOOKCTL_RUN_ID`. */
  readonly id: string;
  readonly taskId: string;
  /** Of its task. */
  readonly owner: string;
  readonly flowId: string;
  readonly conversationId: string;
  /** Name under `agents:`, the task's `agent`. */
  readonly agent: string;
  /** Name of the runner: `claude`, `codex`, `command`, … */
  readonly runner: string;
  readonly state: RunState;
  /** Why it waits, is held, or ended as it did, in words; null when there is nothing to say. */
  readonly reason: string | null;
  /** Leader of the run's process group; null before it was started. */
  readonly pid: number | null;
  /** Program and arguments as they were started; empty before. */
  readonly commandLine: readonly string[];
  /** Absolute path in which it runs; null before it was started. */
  readonly folder: string | null;
  /** The agent's own session, once the agent has said that it is in it. */
  readonly sessionId: string | null;
  /** The line that opens this session by hand; null where the agent has no such thing. */
  readonly openWith: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it failed; null when it did not. */
  readonly cause: RunCause | null;
  /** When a run that a rate limit ended is repeated, in epoch milliseconds; null when it is not. */
  readonly retryAt: number | null;
  readonly usage: RunUsage;
  /** What the agent wanted to do and was not allowed to. */
  readonly denials: readonly string[];
  /** File with what the agent said and did, one JSON object a line; null before it was started. */
  readonly logPath: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** What a run used. Null when the agent did not say. */
export interface RunUsage {
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Turns of the conversation with the model. */
  readonly turns: number | null;
}

/** Nothing is known of what it took. */
export const NO_USAGE: RunUsage = { costUsd: null, inputTokens: null, outputTokens: null, turns: null };

/**
 * An event that an agent can wait for. `task`: one is ready to start. `answer`: a person answered its question. `cancel`:
 * the task was ended.
 */
export interface AgentEvent {
  /** `evt-…`, in the order in which things happened. */
  readonly id: string;
  readonly kind: 'task' | 'answer' | 'cancel';
  readonly taskId: string;
  /** Who did it: `cli`, `github:octocat`. */
  readonly actor: string;
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Which events somebody wants. */
export interface AgentEventFilter {
  /** Name by which hookctl remembers which events were delivered. */
  readonly consumer: string;
  /** Only of tasks for this agent. */
  readonly agent?: string;
  /** Only of tasks of this conversation. */
  readonly conversationId?: string;
  /** Only of tasks of this owner. */
  readonly owner?: string;
}
