import type { AgentRun, ModelTokens, NewOutgoing, RunEnd, RunUsage, Task, Trust } from '../types.ts';
import type { OwnerSelection } from './selection.ts';
import type { TaskChange } from './tasks.ts';

/** A task that waits for an agent, as the scheduler orders it. */
export interface QueuedTask {
  readonly id: string;
  readonly agent: string;
  readonly owner: string;
  readonly flowId: string;
  readonly conversationId: string;
  readonly dependsOn: readonly string[];
  readonly trust: Trust;
  /** It was queued before its agent was configured, and is not released. */
  readonly isBacklog: boolean;
}

/** Tasks that were queued before their agent was configured. */
export interface Backlog {
  readonly agent: string;
  readonly tasks: number;
}

/** What runs cost within a time. */
export interface Spent {
  readonly runs: number;
  /** Of those that ended; their limit where no cost was reported. */
  readonly endedUsd: number;
  /** Limits of those that go on. */
  readonly runningUsd: number;
}

/** An agent whose runs a rate limit ended. */
export interface PausedAgent {
  readonly agent: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** By what spend is added up. */
export const SPEND_BY = ['agent', 'webhook', 'person', 'owner'] as const;

/** What runs took, by one agent, webhook, person or owner. */
export interface Spend {
  /** Null where nothing is known of it: runs before this was counted, tasks that no webhook made. */
  readonly name: string | null;
  readonly runs: number;
  /** Runs whose cost is known. */
  readonly knownRuns: number;
  readonly costUsd: number;
  /** Limits of the runs whose cost is not known: what budgets count for them. */
  readonly reservedUsd: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the runs of an agent cost on one day. */
interface DayCost {
  readonly day: string;
  readonly agent: string;
  readonly runs: number;
  readonly usd: number;
}

/** A person works in the session of a conversation: its tasks wait until it is given back. */
export interface Attachment {
  readonly conversationId: string;
  /** The task by which it was asked for. */
  readonly taskId: string;
  readonly actor: string;
  /** The run that goes on is ended at once, not after its turn. */
  readonly atOnce: boolean;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Reads of runs. */
export interface RunReader {
  run(id: string): AgentRun | null;
  /** Oldest first. */
  runsOfTask(taskId: string): readonly AgentRun[];
  /** Those that wait, are held, or run; in the order in which they were made. */
  openRuns(owner?: string): readonly AgentRun[];
  /** Those that were started or ended after `since` (epoch milliseconds), and began a day before at most; oldest first. */
  runsSince(since: number, limit: number): readonly AgentRun[];
  attachments(): readonly Attachment[];
  /** Agents whose backlog waits for a release. */
  backlogs(): readonly Backlog[];
  /** Queued tasks of these agents, in turn of each owner the oldest, and the backlog last; at most `limit`. */
  queuedTasks(agents: readonly string[], limit: number): readonly QueuedTask[];
  /** The session of the newest run of a conversation that was in one. */
  lastSession(conversationId: string, sessionKey: string): string | null;
  /** Folder of the newest run with a session; null when no run had one. */
  sessionFolder(sessionId: string): string | null;
  /** The newest run on a branch that hookctl named; null when no run was on one. */
  runOnBranch(branch: string): AgentRun | null;
  /** Counters of a session when its last run ended; empty when the runner keeps none. */
  sessionMeter(sessionId: string): readonly ModelTokens[];
  /** Agents that wait for a rate limit to end. */
  pausedAgents(now: number): readonly PausedAgent[];
  /** Runs that were started after `since` (epoch milliseconds), of one flow, agent or owner, or of all but some owners. */
  spent(since: number, of?: OwnerSelection & { readonly flowId?: string; readonly agent?: string }): Spent;
  /** What runs cost that were started after `since`, by day (UTC, `2026-01-31`) and agent, in that order. */
  costs(since: number, owner?: string): readonly DayCost[];
  /** What runs took that were started after `since`, of all or of one owner, the most first. */
  spend(by: (typeof SPEND_BY)[number], since: number, owner?: string): readonly Spend[];
}

/** A run that waits or is held, and why. */
export interface RunWait {
  readonly id: string;
  readonly task: Pick<QueuedTask, 'id' | 'agent' | 'owner' | 'flowId' | 'conversationId'>;
  readonly runner: string;
  readonly state: 'waiting' | 'held';
  readonly reason: string;
  readonly at: number;
}

export interface RunStart {
  /** Makes the run if it did not wait before. */
  readonly wait: RunWait;
  readonly folder: string;
  readonly logPath: string;
  readonly sessionKey: string | null;
  readonly reservedUsd: number | null;
  /** The task's step to `running`, from `queued`. */
  readonly change: TaskChange;
}

/** Facts about a run that are learnt while it goes on. */
export type RunNote = Partial<Pick<AgentRun, 'pid' | 'commandLine' | 'folder' | 'sessionId' | 'openWith'>> & {
  /** The branch of its workspace, where hookctl named it. */
  readonly branch?: string;
};

export interface RunEnding {
  readonly id: string;
  readonly state: RunEnd;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly usage: RunUsage;
  readonly denials: readonly string[];
  /** Left out, as the two below: null. */
  readonly cause?: AgentRun['cause'];
  readonly retryAt?: number | null;
  /** Counters of its session, by then; null when its runner keeps none. */
  readonly meter?: readonly ModelTokens[] | null;
  readonly at: number;
  /** The change of its task; null when the task stays as it is. */
  readonly task: TaskEnding | null;
}

export type TaskEnding =
  | { readonly kind: 'change'; readonly change: TaskChange }
  /** The task moved on before the run ended; what it took is added, and its result where it has none. */
  | {
      readonly kind: 'report';
      readonly report: Pick<TaskChange, 'taskId' | 'from' | 'result' | 'spent' | 'reply' | 'at'>;
    };

/** A notice that is given once for a scope (`day`, `agent:brain:week`, a flow), and again after `since` at the earliest. */
export interface BudgetNotice {
  readonly scope: string;
  readonly since: number;
  readonly at: number;
  /** What to post, and about which delivery; null where nothing can be posted. */
  readonly reply: { readonly item: NewOutgoing; readonly deliveryId: string } | null;
}

/** Writes of runs. */
export interface RunWriter {
  /** Holds a conversation for a person; a second time it only changes how. */
  attach(attachment: Attachment): Promise<void>;
  /** Returns false when no person holds it. */
  detach(conversationId: string): Promise<boolean>;
  /** Notes which agents are configured; what is queued for a new one waits for `releaseBacklog`. */
  noteAgents(names: readonly string[], at: number): Promise<void>;
  /** Lets the backlog of an agent run. Returns false when it has none. */
  releaseBacklog(agent: string): Promise<boolean>;
  /** Notes why tasks wait, and forgets what no longer does. */
  noteWaiting(waits: readonly RunWait[], gone: readonly string[]): Promise<void>;
  /** Takes task and conversation for a run; null when the task was not queued any more, and nothing changed. */
  startRun(start: RunStart): Promise<Task | null>;
  noteRun(id: string, note: RunNote): Promise<void>;
  /** Ends a run; the task as it is then, null when its change no longer fitted. */
  endRun(ending: RunEnding): Promise<Task | null>;
  /** Gives the notice, unless it was given already. */
  giveNotice(notice: BudgetNotice): Promise<boolean>;
}
