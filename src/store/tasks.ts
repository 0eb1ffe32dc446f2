import type {
  AgentEvent,
  AgentEventFilter,
  Conversation,
  Flow,
  NewOutgoing,
  NewTask,
  Task,
  TaskEvent,
  TaskStatus,
  TaskUsage,
  Transition,
} from '../types.ts';
import type { SearchFilter } from './selection.ts';

export interface TaskFilter extends SearchFilter {
  readonly id?: string;
  readonly status?: TaskStatus;
  /** Only tasks that have not ended. */
  readonly open?: true;
  /** Epoch milliseconds: only what changed then or later. */
  readonly updatedSince?: number;
  /** Only what ended then or later. */
  readonly endedSince?: number;
  readonly agent?: string;
  readonly owner?: string;
  readonly flowId?: string;
  readonly conversationId?: string;
  readonly deliveryId?: string;
  readonly after?: string;
  readonly before?: string;
  readonly limit?: number;
}

export interface FlowFilter {
  readonly id?: string;
  readonly externalId?: string;
  readonly owner?: string;
  /** Only flows that are older than this one, newest first (for the next page). */
  readonly before?: string;
  /** Default 50. */
  readonly limit?: number;
}

export interface ConversationFilter {
  readonly id?: string;
  readonly flowId?: string;
  readonly owner?: string;
  /** Only rows before this id, newest first (for the next page). */
  readonly before?: string;
  /** Default 50. */
  readonly limit?: number;
}

/** A task that no delivery made: a child, or one that a person typed. */
export interface TaskCreation {
  readonly task: NewTask;
  /** `cli` or `api`. */
  readonly source: string;
  readonly actor: string;
  /** The parent's, where there is one. */
  readonly owner: string;
  readonly parent: Task | null;
  readonly dependsOn: readonly string[];
  /** The parent's, or a flow that is made if it does not exist. */
  readonly flowId: string;
  readonly externalId: string;
  /** Used if the flow is new, or if a new conversation was asked for. */
  readonly newConversationId: string;
  readonly startNewConversation: boolean;
  /** Most open tasks below the same root: the task is not stored when there are as many. Null, the default, when there is no limit. */
  readonly mostBelow?: number | null;
  readonly at: number;
}

/** What is known of a schedule beside webhooks.yml. */
export interface ScheduleState {
  readonly name: string;
  /** The last due time that was handled, or when it was first seen; epoch milliseconds. */
  readonly lastDue: number | null;
  /** 1: it is paused. */
  readonly paused: number;
}

/** A step of a task from one status to another, decided by `tasks/lifecycle.ts`. */
export interface TaskChange {
  readonly taskId: string;
  readonly event: TaskEvent;
  readonly from: TaskStatus;
  readonly to: TaskStatus;
  /** Whether `to` ends the task. */
  readonly isEnd: boolean;
  readonly actor: string;
  readonly reason: string | null;
  readonly result: string | null;
  readonly error: string | null;
  /** Appended to its prompt; an answer. */
  readonly prompt?: string;
  /** What the run took; added to what earlier runs took. Its duration the store knows itself. */
  readonly spent: Omit<TaskUsage, 'durationMs'>;
  /** What is to be sent about it; it waits in the outbox from the same moment on. */
  readonly reply: TaskReply | null;
  readonly at: number;
}

/** What is sent about a task. */
export interface TaskReply {
  /** The delivery that is answered. */
  readonly deliveryId: string;
  readonly item: NewOutgoing;
  /** It is the task's own comment from now on, which later ones edit. */
  readonly becomesTaskComment: boolean;
}

/** An event of a task that changes nothing. */
export interface TaskNote {
  readonly taskId: string;
  readonly event: Transition['event'];
  readonly actor: string;
  readonly reason: string | null;
  readonly at: number;
}

/** Which tasks `task prune` looks at. */
export interface TreeFilter {
  /** Tasks that ended before this moment, epoch milliseconds; with `samples`: that were made before. */
  readonly before: number;
  /** Only what samples made; also what is open. */
  readonly samples: boolean;
}

/** Why a task and those that it initiated stay; see `pruneTrees` in the local store. */
export type KeptCode = 'open' | 'later' | 'running' | 'unsent' | 'needed';

/** A task with all that it initiated: they are removed together, or not at all. */
export interface PrunableTree {
  /** The task that initiated the others. */
  readonly id: string;
  readonly flowId: string;
  readonly deliveryId: string | null;
  /** How many tasks of it the filter selects. */
  readonly tasks: number;
  /** Null when it may go. */
  readonly kept: KeptCode | null;
}

/** Reads of tasks, flows and conversations. */
export interface TaskReader {
  /** Of all schedules that were ever seen. */
  schedules(): readonly ScheduleState[];
  task(id: string): Task | null;
  tasks(filter?: TaskFilter): readonly Task[];
  /** The history of a task, oldest first. */
  transitions(taskId: string): readonly Transition[];
  /** Open tasks that wait for this one to be completed. */
  dependents(taskId: string): readonly Task[];
  flows(filter?: FlowFilter): readonly Flow[];
  conversations(filter?: ConversationFilter): readonly Conversation[];
  /** Every agent that some task is or was for. */
  agentNames(): readonly string[];
  countsByTaskStatus(owner?: string): Readonly<Partial<Record<TaskStatus, number>>>;
  /** The task of a flow that waits for an answer, the oldest first; null when none does. */
  openQuestion(flowId: string): Task | null;
  /** Tasks that have files in Claude's folder: open ones, and the last `finished` that ended. */
  projectable(finished: number): readonly Task[];
  /** Trees that `task prune` selects, by the id of their root, after this one. */
  prunableTrees(filter: TreeFilter, after: string, limit: number): readonly PrunableTree[];
  /** The tasks that a task initiated, itself included. */
  tree(rootId: string): readonly Task[];
}

/** Writes of tasks, except those that a delivery's outcome makes. */
export interface TaskWriter {
  noteSchedule(state: Pick<ScheduleState, 'name' | 'lastDue'> & { readonly paused: boolean }): Promise<void>;
  /** Null when `mostBelow` tasks are open already. */
  createTask(creation: TaskCreation): Promise<Task | null>;
  /** The task as it is now; null when it was no longer in `from`, and nothing changed. */
  changeTask(change: TaskChange): Promise<Task | null>;
  /**
   * Removes those of the trees that nothing needs; budgets go on counting their runs. `at`: epoch milliseconds.
   * Returns the ids of the removed tasks.
   */
  pruneTrees(trees: readonly PrunableTree[], filter: TreeFilter, at: number): Promise<readonly string[]>;
  /** Records an event that changed nothing. Returns false when it is the last recorded one already. */
  noteTask(note: TaskNote): Promise<boolean>;
  /** Records where a task's files are in Claude's folder, or why they are missing. */
  noteSync(notes: readonly SyncNote[]): Promise<void>;
}

export interface SyncNote {
  readonly taskId: string;
  /** Record id and list entry, merged into `source_metadata`. A null field leaves the stored value. */
  readonly claudeTaskId: string | null;
  readonly claudeList: { readonly list: string; readonly number: number } | null;
  /** Why the files are missing; null when they are not. */
  readonly unsynced: string | null;
}

/** Reads of events for agents. */
export interface AgentEventReader {
  /** Whether an agent has listened by this name. */
  isConsumer(name: string): boolean;
  /** What a consumer has not acknowledged, oldest first; at most 100, and nothing for an unknown one. */
  agentEvents(filter: AgentEventFilter): readonly AgentEvent[];
  /** What an agent could be told since a transition, acknowledged or not; oldest first, at most 100. */
  eventsSince(transition: number): readonly AgentEvent[];
  /** Grows with every transition of any task; cheap. While it is the same, there is no new event. */
  newestTransition(): number;
}

export interface AgentEventWriter {
  /**
   * Registers a consumer of events from now on, or from the creation of a task on. No effect on a consumer that is
   * registered.
   */
  joinEvents(consumer: string, sinceTask: string | null, at: number): Promise<void>;
  /** Keeps the event from coming again for this consumer. Returns false when there is no such event. */
  ackEvent(consumer: string, eventId: string): Promise<boolean>;
}
