import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import type { LogLine, RunEnvironments } from '../../agents/runner.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { createMcpEndpoint, type McpEndpoint } from '../../mcp/http.ts';
import type { RunScope } from '../../mcp/scope.ts';
import type { Services } from '../../services.ts';
import type { Store } from '../../store/store.ts';
import { backendOf } from '../access/agents.ts';
import type { Caller } from '../access/caller.ts';
import { callInProcess } from '../client.ts';
import type { ManagementEnv } from './guard.ts';
import { type ApiEnv, problem, readJson } from './route.ts';

/** How runs of agents get at the management socket: each with a token for that run alone. */
export interface RunAccess extends RunEnvironments {
  /** Called with each report of a run's Claude Code. */
  reported(runId: string, line: LogLine): void;
  /** The run that a token belongs to; null when it is no run's. */
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
  /** Called with the tokens that are valid now, so that none gets into a log. */
  readonly tokensAre: (tokens: readonly string[]) => void;
  /** Other agents that one may give work to without approval. */
  readonly mayCall: (agent: string) => readonly string[];
  /** How long a person is asked for permissions of an agent; null when no one is. */
  readonly askPermissionMs: (agent: string) => number | null;
  /** How git gets tokens in runs of an agent, see `gitSettings`. */
  readonly gitOf: (agent: string) => Readonly<Record<string, string>>;
}

/** Tokens live in memory alone: those of a killed server open nothing after it. */
function createRunAccess(options: RunAccessOptions): RunAccess {
  const { managementUrl, tokensAre, mayCall, askPermissionMs, gitOf } = options;
  const scopes = new Map<string, RunScope>();
  const open = new Map<string, OpenRun>();
  const tell = () => tokensAre([...open.values()].map(({ token }) => token));
  return {
    async open({ id: runId, taskId, conversationId, agent }, _task, log) {
      const token = randomBytes(32).toString('hex');
      scopes.set(hashOf(token), {
        ...{ runId, taskId, conversationId, agent },
        ...{ mayCall: mayCall(agent), askPermissionMs: askPermissionMs(agent) },
      });
      open.set(runId, { token, log });
      tell();
      const url = managementUrl();
      return {
        mcpConfig: JSON.stringify(mcpConfig(`${url}/mcp`, token)),
        settings: JSON.stringify({ hooks: hooks(`${url}${HOOK_PATH}/${runId}`, token) }),
        allowedTools: ['mcp__hookctl'],
        env: { HOOKCTL_MCP_URL: `${url}/mcp`, HOOKCTL_RUN_TOKEN: token, ...gitOf(agent) },
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

const TITLE_LENGTH = 200;

/** What Claude Code sends (2.1.330); it may send more at any time. */
const HookBody = z.looseObject({
  hook_event_name: z.string(),
  task_id: z.string().optional(),
  task_subject: z.string().optional(),
  last_assistant_message: z.string().nullish(),
  reason: z.string().optional(),
});

/**
 * `POST /hooks/claude/:run`: Claude Code's http hooks, only with the token of that very run. The answer `{}` decides
 * nothing: a veto is not ours to give.
 */
export function claudeHookRoutes(runs: Pick<RunAccess, 'reported'>): Hono<ManagementEnv> {
  return new Hono<ManagementEnv>().post('/hooks/claude/:run', async (context) => {
    const runId = context.req.param('run');
    const caller = context.get('caller');
    if (caller.kind !== 'run' || caller.run.runId !== runId) {
      return problem(context, 403, 'run_token', 'these hooks take the token of their run alone');
    }
    const parsed = HookBody.safeParse(await readJson(context));
    if (!parsed.success) return problem(context, 400, 'hook', 'hook_event_name is missing');
    const line = lineOf(parsed.data);
    if (line !== null) runs.reported(runId, line);
    return context.json({});
  });
}

function lineOf(body: z.output<typeof HookBody>): LogLine | null {
  switch (body.hook_event_name) {
    case 'TaskCompleted': {
      const subject = shorten(escapeInvisibleLine(body.task_subject ?? ''), TITLE_LENGTH);
      return {
        kind: 'did',
        text: `completed #${escapeInvisibleLine(body.task_id ?? '?')} of the task list: ${subject}`,
      };
    }
    case 'Stop':
      return { kind: 'note', text: 'Claude Code finished its turn' };
    case 'SessionEnd':
      return {
        kind: 'note',
        text: `Claude Code’s session ended: ${escapeInvisibleLine(body.reason ?? 'no reason given')}`,
      };
    default:
      return null;
  }
}

/** How agents speak to a running server. */
export interface AgentAccess {
  readonly mcp: McpEndpoint<Caller>;
  readonly runs: RunAccess;
}

interface AgentAccessOptions extends Omit<RunAccessOptions, 'tokensAre'> {
  readonly services: Services;
  readonly store: Store;
  readonly api: Hono<ApiEnv>;
  readonly onError: (error: unknown) => void;
}

export function openAgentAccess(options: AgentAccessOptions): AgentAccess {
  const { services, store, api, managementUrl, mayCall, askPermissionMs, gitOf, onError } = options;
  return {
    mcp: createMcpEndpoint<Caller>({
      backendOf: backendOf(store, (who) => callInProcess(api, who)),
      scopeOf: (caller) => (caller.kind === 'run' ? caller.run : null),
      now: services.clock.now,
      onError,
    }),
    runs: createRunAccess({
      managementUrl,
      mayCall,
      askPermissionMs,
      gitOf,
      tokensAre: (tokens) => services.redactor.learn('tokens of runs', () => tokens),
    }),
  };
}
