import type { Trust } from './delivery.ts';
import type { JsonObject } from './request.ts';

export const TASK_STATUSES = [
  'waiting_approval',
  'queued',
  'running',
  'waiting_answer',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The `agent` of a task by which a run asks a person for permission; no agent can be called so. */
export const PERMISSION_AGENT = '(permission)';

/** A unit of agent work. Times are epoch milliseconds. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  /** The agent that is to work on it: `brain`, `planning`, `executor`, … */
  readonly agent: string;
  /** The fenced prompt. */
  readonly prompt: string;
  readonly flowId: string;
  readonly conversationId: string;
  /** Where it was made: a provider's name, `cli` or `api`. */
  readonly source: string;
  readonly parentTaskId: string | null;
  /** Tasks that must be completed before this one may start. */
  readonly dependsOn: readonly string[];
  /** Root of the chain; the task itself when it has no parent. */
  readonly initiatedTaskId: string;
  readonly deliveryId: string | null;
  /** Of its delivery; a child has its parent's. */
  readonly owner: string;
  readonly webhook: string | null;
  readonly command: string | null;
  readonly externalId: string;
  readonly url: string | null;
  readonly result: string | null;
  readonly error: string | null;
  /** `claude_task_id`, `claude_list`, and whatever the source adds. */
  readonly sourceMetadata: JsonObject;
  /** Its files belong into Claude's directory. */
  readonly syncToClaudeTasks: boolean;
  /** Why its files are not in Claude's directory although they should be; null when they are or need not be. */
  readonly unsynced: string | null;
  /** The lowest of all that wrote to its prompt; a child has its parent's. An `unverified` task never runs and never posts. */
  readonly trust: Trust;
  /** A delivery that `hookctl trigger` made is where it came from; a child has its parent's. */
  readonly isSample: boolean;
  /** Of all runs together, a retried task's earlier ones too. */
  readonly usage: TaskUsage;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the last run began; null when none did since the task was queued. */
  readonly startedAt: number | null;
  /** When it was completed, failed or cancelled; null while it is open. */
  readonly completedAt: number | null;
}

/** What the runs of a task used. Null when no run said, or it never ran. */
export interface TaskUsage {
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Milliseconds between start and end. */
  readonly durationMs: number | null;
}

/** What can happen to a task, see `tasks/lifecycle.ts`. */
export const TASK_EVENTS = [
  'approve',
  'ask',
  'answer',
  'start',
  'release',
  'complete',
  'fail',
  'cancel',
  'retry',
] as const;
export type TaskEvent = (typeof TASK_EVENTS)[number];

/** One line of a task's history. `from` and `to` are equal where something was tried that changes nothing. */
export interface Transition {
  /** `create`; `delete`: its entry went out of Claude's list; `reopen`: somebody set a finished entry back there. */
  readonly event: TaskEvent | 'create' | 'delete' | 'reopen';
  /** Null when the task was made. */
  readonly from: TaskStatus | null;
  readonly to: TaskStatus;
  /** `cli`, `api`, `claude`, or `github:octocat`. */
  readonly actor: string;
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Everything around one external id. */
export interface Flow {
  readonly id: string;
  /** Owners have flows of their own, also about one external id. */
  readonly owner: string;
  readonly externalId: string;
  readonly currentConversationId: string;
  readonly createdAt: number;
}

/** Tasks that share an agent's context, with their totals as they are now. */
export interface Conversation {
  readonly id: string;
  readonly owner: string;
  readonly flowId: string;
  readonly createdAt: number;
  readonly byStatus: Readonly<Partial<Record<TaskStatus, number>>>;
  readonly usage: TaskUsage;
  /** Over tasks that ended and said what they cost; null when none did. */
  readonly averageCostUsd: number | null;
  /** When the first of its tasks that ran was started. */
  readonly startedAt: number | null;
  /** When the last of its tasks ended; null while one is open. */
  readonly completedAt: number | null;
}

/** What an action asks for; the store fills in flow, conversation and times. */
export interface NewTask {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly agent: string;
  readonly prompt: string;
  /** What the person typed (argument text): the only place where "start fresh" starts a new conversation. */
  readonly typed: string;
  readonly url: string | null;
  readonly syncToClaudeTasks: boolean;
  readonly sourceMetadata: JsonObject;
}

/** `schedules.<name>` of webhooks.yml, with its defaults. */
export interface Schedule {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly prompt: string;
  readonly title?: string | undefined;
  readonly agent?: string | undefined;
  readonly conversation: 'new' | 'same';
  readonly requiresApproval: boolean;
  readonly missed: 'once' | 'skip';
  /** Milliseconds. */
  readonly jitter: number;
  readonly enabled: boolean;
}
