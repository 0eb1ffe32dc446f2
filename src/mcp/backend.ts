import type { AgentEventReader, TaskReader } from '../store/tasks.ts';
import type { TaskRequest } from '../tasks/create.ts';
import type { TaskReport } from '../tasks/transition.ts';
import type { OutgoingView, TaskView } from '../views.ts';

/** What the tools do: in the process that holds the data folder, or through its management socket. */
export interface AgentOperations {
  create(request: TaskRequest, source: 'mcp'): Promise<TaskView>;
  change(id: string, verb: 'start' | 'complete' | 'fail' | 'ask', report: TaskReport): Promise<TaskView>;
  /** Posts in the thread that the task came from. */
  comment(id: string, text: string): Promise<OutgoingView>;
  /** Remembers a consumer of events, see `AgentEventWriter.joinEvents`. */
  listen(consumer: string, sinceTask: string | null): Promise<void>;
  /** False: there is no such event. */
  ackEvent(consumer: string, eventId: string): Promise<boolean>;
}

export type AgentStore = TaskReader & AgentEventReader;

/** How the tools reach a data folder. */
export interface McpBackend {
  /** `nothing` is the answer while the folder holds no store yet. */
  look<T>(ask: (store: AgentStore) => T, nothing: T): Promise<T>;
  change<T>(work: (operations: AgentOperations) => Promise<T>): Promise<T>;
}
