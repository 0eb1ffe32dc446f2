import { createMcpEndpoint, type McpEndpoint } from '../../mcp/http.ts';
import { localBackend } from '../../mcp/local.ts';
import type { RunScope } from '../../mcp/scope.ts';
import type { Services } from '../../services.ts';
import type { Store } from '../../store/store.ts';
import type { Actor } from '../../types.ts';
import type { Operations } from '../operations.ts';
import { createRunAccess, type RunAccess } from './run-access.ts';

/** How agents speak to a running server. */
export interface AgentAccess {
  readonly mcp: McpEndpoint;
  readonly runs: RunAccess;
}

interface AgentAccessOptions {
  readonly app: Services;
  readonly store: Store;
  /** What an actor does, on record. */
  readonly operationsOf: (actor: Actor) => Operations;
  /** `http://127.0.0.1:8001`, once the socket listens. */
  readonly managementUrl: () => string;
  /** Other agents that one may give work to without approval. */
  readonly mayCall: (agent: string) => readonly string[];
  readonly onError: (error: unknown) => void;
}

export function openAgentAccess(options: AgentAccessOptions): AgentAccess {
  const { app, store, operationsOf, managementUrl, mayCall, onError } = options;
  return {
    mcp: createMcpEndpoint({
      backendOf: (scope) => localBackend(store, operationsOf(actorOf(scope)).tasks),
      now: app.clock.now,
      onError,
    }),
    runs: createRunAccess({
      managementUrl,
      mayCall,
      tokensAre: (tokens) => app.redactor.learn('tokens of runs', () => tokens),
    }),
  };
}

/** As the audit names them. */
function actorOf(scope: RunScope | null): Actor {
  return { kind: 'api', name: scope === null ? 'mcp' : `${scope.agent} (${scope.runId})` };
}
