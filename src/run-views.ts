import type { AgentRun } from './types.ts';
import { iso, isoOrNull } from './views.ts';

/** How runs of agents look outside: in the API and in every `--json`. */
export type RunView = ReturnType<typeof runView>;

export function runView(run: AgentRun) {
  const { costUsd, inputTokens, outputTokens, turns } = run.usage;
  return {
    id: run.id,
    task_id: run.taskId,
    flow_id: run.flowId,
    conversation_id: run.conversationId,
    agent: run.agent,
    runner: run.runner,
    state: run.state,
    reason: run.reason,
    pid: run.pid,
    command_line: run.commandLine,
    folder: run.folder,
    session_id: run.sessionId,
    open_with: run.openWith,
    exit_code: run.exitCode,
    signal: run.signal,
    cost_usd: costUsd,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    turns,
    denials: run.denials,
    log_path: run.logPath,
    created_at: iso(run.createdAt),
    started_at: isoOrNull(run.startedAt),
    ended_at: isoOrNull(run.endedAt),
  };
}

/** Why a queued task does not run, or that it does; null: no run is planned for it. */
export function openRunView(run: AgentRun | undefined) {
  return run === undefined ? null : { id: run.id, state: run.state, reason: run.reason };
}
