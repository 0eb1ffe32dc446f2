import type { AgentOperations, AgentStore, McpBackend } from './backend.ts';

/** The backend of the process that holds the data folder. */
export function localBackend(store: AgentStore, operations: AgentOperations): McpBackend {
  return {
    look: async (ask) => ask(store),
    change: (work) => work(operations),
  };
}
