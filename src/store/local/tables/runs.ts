import { type CompiledQuery, sql } from 'kysely';
import type { AgentRun } from '../../../types.ts';
import type { QueuedTask, Spent } from '../../runs.ts';
import { isBacklog } from './backlog.ts';
import { type RunRow, sqlBuilder, type TaskRow } from './rows.ts';

export function toRun(row: RunRow): AgentRun {
  return {
    id: row.id,
    taskId: row.task_id,
    flowId: row.flow_id,
    conversationId: row.conversation_id,
    agent: row.agent,
    runner: row.runner,
    state: row.state,
    reason: row.reason,
    pid: row.pid,
    commandLine: JSON.parse(row.command_line),
    folder: row.folder,
    sessionId: row.session_id,
    openWith: row.open_with,
    exitCode: row.exit_code,
    signal: row.signal,
    usage: {
      costUsd: row.cost_usd,
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      turns: row.turns,
    },
    denials: JSON.parse(row.denials),
    logPath: row.log_path,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export function runById(id: string): CompiledQuery<RunRow> {
  return sqlBuilder.selectFrom('runs').selectAll().where('id', '=', id).compile();
}

export function runsOfTask(taskId: string): CompiledQuery<RunRow> {
  return sqlBuilder.selectFrom('runs').selectAll().where('task_id', '=', taskId).orderBy('id').compile();
}

export function openRuns(): CompiledQuery<RunRow> {
  return sqlBuilder.selectFrom('runs').selectAll().where('ended_at', 'is', null).orderBy('id').compile();
}

type QueuedRow = Pick<TaskRow, 'id' | 'agent' | 'flow_id' | 'conversation_id' | 'depends_on' | 'trust'> & {
  readonly is_backlog: number;
};

export function queuedTasks(agents: readonly string[], limit: number): CompiledQuery<QueuedRow> {
  return sqlBuilder
    .selectFrom('tasks')
    .leftJoin('known_agents', 'known_agents.name', 'tasks.agent')
    .select([
      isBacklog.as('is_backlog'),
      'tasks.id',
      'tasks.agent',
      'tasks.flow_id',
      'tasks.conversation_id',
      'tasks.depends_on',
      'tasks.trust',
    ])
    .where('tasks.status', '=', 'queued')
    .where('tasks.agent', 'in', agents)
    .orderBy('is_backlog')
    .orderBy('tasks.id')
    .limit(limit)
    .compile();
}

export function toQueuedTask(row: QueuedRow): QueuedTask {
  return {
    id: row.id,
    agent: row.agent,
    flowId: row.flow_id,
    conversationId: row.conversation_id,
    dependsOn: JSON.parse(row.depends_on),
    trust: row.trust,
    isBacklog: row.is_backlog === 1,
  };
}

export function lastSession(conversationId: string, sessionKey: string) {
  return sqlBuilder
    .selectFrom('runs')
    .select('session_id')
    .where('conversation_id', '=', conversationId)
    .where('session_key', '=', sessionKey)
    .where('session_id', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .compile();
}

/** The time that budgets of threads and days are counted over. */
export const BUDGET_MS = 24 * 3_600_000;

export function spentSince(since: number, flowId: string | undefined): CompiledQuery<Spent> {
  const ofFlow = flowId === undefined ? sql`` : sql`and flow_id = ${flowId}`;
  const cost = sql`coalesce(cost_usd, reserved_usd, 0)`;
  return sql<Spent>`
    select count(*) as runs,
      coalesce(sum(case when state = 'running' then 0 else ${cost} end), 0) as "endedUsd",
      coalesce(sum(case when state = 'running' then ${cost} else 0 end), 0) as "runningUsd"
    from (
      select flow_id, state, cost_usd, reserved_usd, started_at from runs
      union all select flow_id, state, cost_usd, reserved_usd, started_at from pruned_runs)
    where started_at > ${since} ${ofFlow}`.compile(sqlBuilder);
}
