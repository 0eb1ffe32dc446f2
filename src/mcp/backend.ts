import type { AgentEventReader, TaskReader } from '../store/tasks.ts';

/** What the tools read. */
export type AgentStore = Pick<TaskReader, 'task' | 'tasks' | 'transitions'> & AgentEventReader;

/** How the tools reach a data folder. */
export interface McpBackend {
  /** `nothing` is the answer while the folder holds no store yet. */
  look<T>(ask: (store: AgentStore) => T, nothing: T): Promise<T>;
  readonly call: ApiCall;
}

/** A request to the management API (`docs/api.md`). */
interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query, from `/api` on. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** How long the answer may take. Default two minutes. */
  readonly timeoutMs?: number;
}

/**
 * Asks the management API of the process that holds the data folder, or of a running server through its socket, and
 * resolves with the JSON of the answer. Throws a refusal as `HookctlError`.
 */
export type ApiCall = <T>(request: ApiRequest) => Promise<T>;
