import type { AgentRun, RunState } from '../../../types.ts';
import type { Backlog, QueuedTask, RunReader, Spent } from '../../runs.ts';
import type { Sql } from '../sql.ts';
import type { TaskRow } from './tasks.ts';

/** A row of `runs`. Times are epoch milliseconds. */
export interface RunRow {
  readonly id: string;
  readonly task_id: string;
  readonly flow_id: string;
  readonly conversation_id: string;
  readonly agent: string;
  readonly runner: string;
  readonly state: RunState;
  readonly reason: string | null;
  readonly pid: number | null;
  /** JSON list. */
  readonly command_line: string;
  readonly folder: string | null;
  readonly session_key: string | null;
  readonly session_id: string | null;
  readonly open_with: string | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly turns: number | null;
  /** JSON list. */
  readonly denials: string;
  readonly log_path: string | null;
  readonly reserved_usd: number | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
}

/** Whether a queued task waits since before its agent was configured. Joins `known_agents`. */
const IS_BACKLOG = 'coalesce(tasks.updated_at <= known_agents.held_before, 0)';
const COST = 'coalesce(cost_usd, reserved_usd, 0)';

export function readRuns(sql: Sql): RunReader {
  return {
    run(id) {
      const row = sql.one<RunRow>('select * from runs where id = ?', [id]);
      return row === null ? null : toRun(row);
    },
    runsOfTask: (taskId) =>
      sql.all<RunRow>('select * from runs where task_id = ? order by id', [taskId]).map(toRun),
    openRuns: () => sql.all<RunRow>('select * from runs where ended_at is null order by id').map(toRun),
    backlogs: () =>
      sql.all<Backlog>(
        `select known_agents.name as agent, count(*) as tasks
         from known_agents join tasks on tasks.agent = known_agents.name
         where known_agents.held_before is not null and tasks.status = 'queued' and ${IS_BACKLOG} = 1
         group by known_agents.name order by known_agents.name`,
      ),
    queuedTasks(agents, limit) {
      const rows = sql.all<QueuedRow>(
        `select ${IS_BACKLOG} as is_backlog, tasks.id, tasks.agent, tasks.flow_id, tasks.conversation_id,
           tasks.depends_on, tasks.trust
         from tasks left join known_agents on known_agents.name = tasks.agent
         where tasks.status = 'queued' and tasks.agent in (select value from json_each(?))
         order by is_backlog, tasks.id limit ?`,
        [JSON.stringify(agents), limit],
      );
      return rows.map(toQueuedTask);
    },
    lastSession: (conversationId, sessionKey) =>
      sql.one<{ session_id: string }>(
        `select session_id from runs
         where conversation_id = ? and session_key = ? and session_id is not null order by id desc limit 1`,
        [conversationId, sessionKey],
      )?.session_id ?? null,
    spent: (since, flowId) =>
      sql.one<Spent>(
        `select count(*) as runs,
           coalesce(sum(iif(state = 'running', 0, ${COST})), 0) as "endedUsd",
           coalesce(sum(iif(state = 'running', ${COST}, 0)), 0) as "runningUsd"
         from (
           select flow_id, state, cost_usd, reserved_usd, started_at from runs
           union all select flow_id, state, cost_usd, reserved_usd, started_at from pruned_runs)
         where started_at > :since ${flowId === undefined ? '' : 'and flow_id = :flowId'}`,
        { since, ...(flowId !== undefined && { flowId }) },
      ) ?? { runs: 0, endedUsd: 0, runningUsd: 0 },
  };
}

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

type QueuedRow = Pick<TaskRow, 'id' | 'agent' | 'flow_id' | 'conversation_id' | 'depends_on' | 'trust'> & {
  readonly is_backlog: number;
};

function toQueuedTask(row: QueuedRow): QueuedTask {
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
