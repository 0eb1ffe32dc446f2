import { createHash, randomBytes } from 'node:crypto';
import type { LogLine, RunEnvironments } from '../../agents/runner.ts';
import type { RunScope } from '../../mcp/scope.ts';

/** How runs of agents get at the management socket: each with a token that is good for nothing but that run. */
export interface RunAccess extends RunEnvironments {
  /** Told what a run's Claude Code reports. */
  reported(runId: string, line: LogLine): void;
  /** What a token is good for; null: it is no run's. */
  scopeOf(token: string): RunScope | null;
}

/** Where a run's Claude Code reports, below the management address. */
const HOOK_PATH = '/hooks/claude';

/** Events of Claude Code that are reported. They cost the agent a request each, so only those that are used. */
const HOOK_EVENTS = ['TaskCompleted', 'Stop', 'SessionEnd'] as const;

/** A hook must not hold up the agent. */
const HOOK_TIMEOUT_S = 5;

interface OpenRun {
  readonly token: string;
  readonly log: (line: LogLine) => void;
}

interface RunAccessOptions {
  /** `http://127.0.0.1:8001`, once the socket listens. */
  readonly managementUrl: () => string;
  /** Told which tokens are good now, so that none gets into a log. */
  readonly tokensAre: (tokens: readonly string[]) => void;
  /** Other agents that one may give work to without approval. */
  readonly mayCall: (agent: string) => readonly string[];
}

/** Tokens live in memory alone: those of a killed server open nothing after it. */
export function createRunAccess({ managementUrl, tokensAre, mayCall }: RunAccessOptions): RunAccess {
  const scopes = new Map<string, RunScope>();
  const open = new Map<string, OpenRun>();
  const tell = () => tokensAre([...open.values()].map(({ token }) => token));
  return {
    async open({ id: runId, taskId, conversationId, agent }, _task, log) {
      const token = randomBytes(32).toString('hex');
      scopes.set(hashOf(token), { runId, taskId, conversationId, agent, mayCall: mayCall(agent) });
      open.set(runId, { token, log });
      tell();
      const url = managementUrl();
      return {
        mcpConfig: JSON.stringify(mcpConfig(`${url}/mcp`, token)),
        settings: JSON.stringify({ hooks: hooks(`${url}${HOOK_PATH}/${runId}`, token) }),
        allowedTools: ['mcp__hookctl'],
        env: { HOOKCTL_MCP_URL: `${url}/mcp`, HOOKCTL_RUN_TOKEN: token },
      };
    },
    close({ id }) {
      scopes.delete(hashOf(open.get(id)?.token ?? ''));
      open.delete(id);
      tell();
    },
    reported: (runId, line) => open.get(runId)?.log(line),
    scopeOf: (token) => scopes.get(hashOf(token)) ?? null,
  };
}

function mcpConfig(url: string, token: string): object {
  return { mcpServers: { hookctl: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } } } };
}

function hooks(url: string, token: string): object {
  const hook = {
    type: 'http',
    url,
    headers: { Authorization: `Bearer ${token}` },
    timeout: HOOK_TIMEOUT_S,
  };
  return Object.fromEntries(HOOK_EVENTS.map((event) => [event, [{ hooks: [hook] }]]));
}

/** Looked up by its hash, so that how long that takes says nothing about a token. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
