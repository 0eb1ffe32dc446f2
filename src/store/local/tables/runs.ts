import type { AgentRun, ModelTokens } from '../../../types.ts';
import type { Attachment, Backlog, PausedAgent, QueuedTask, RunReader, Spend, Spent } from '../../runs.ts';
import type { Sql } from '../sql.ts';
import { ownedBy } from './search.ts';
import { type Table, table } from './table.ts';

/** What a row has beside a run's fields. */
interface Own {
  readonly sessionKey: string | null;
  readonly reservedUsd: number | null;
  /** Counters of the session at the run's end, as JSON. */
  readonly meter: string | null;
  /** What the run's first task came by, and who asked for it. */
  readonly webhook: string | null;
  readonly person: string | null;
  readonly branch: string | null;
}

export const RUNS: Table<AgentRun, Own> = table(
  'runs',
  {
    commandLine: ['json', 'command_line'],
    denials: ['json', 'denials'],
    usage: ['fields', 'costUsd', 'inputTokens', 'outputTokens', 'turns'],
  },
  ['sessionKey', 'reservedUsd', 'meter', 'webhook', 'person', 'branch'],
);

export const ATTACHMENTS: Table<Attachment> = table('attachments', { atOnce: ['flag', 'at_once'] });

const QUEUE: Table<QueuedTask> = table('tasks', {
  dependsOn: ['json', 'depends_on'],
  isBacklog: ['flag', 'is_backlog'],
});

/** Whether a queued task waits since before its agent was configured. Joins `known_agents`. */
const IS_BACKLOG = 'case when tasks.updated_at <= known_agents.held_before then 1 else 0 end';
const COST = 'coalesce(cost_usd, reserved_usd, 0)';

const COUNTED = `flow_id, agent, webhook, person, owner, state, cost_usd, reserved_usd, input_tokens, output_tokens, started_at`;
/** Runs that budgets count, also of tasks that are gone. */
const ALL_RUNS = `(select ${COUNTED} from runs union all select ${COUNTED} from pruned_runs) as counted`;

const DAY_MS = 86_400_000;

export function readRuns(sql: Sql): RunReader {
  return {
    run: (id) => RUNS.get(sql, id),
    runsOfTask: (taskId) => RUNS.all(sql, 'where task_id = ? order by id', [taskId]),
    attachments: () => ATTACHMENTS.all(sql, 'order by at', []),
    openRuns: (owner) =>
      RUNS.all(
        sql,
        `where ended_at is null ${owner === undefined ? '' : 'and owner = ?'} order by id`,
        owner === undefined ? [] : [owner],
      ),
    runsSince: (since, limit) =>
      RUNS.all(
        sql,
        'where started_at >= ? and max(started_at, coalesce(ended_at, 0)) >= ? order by id limit ?',
        [since - DAY_MS, since, limit],
      ),
    backlogs: () =>
      // A cross join keeps SQLite from looking through all queued tasks where no agent has a backlog.
      sql.all<Backlog>(
        `select known_agents.name as agent, count(*) as tasks
         from known_agents cross join tasks on tasks.agent = known_agents.name
         where known_agents.held_before is not null and tasks.status = 'queued' and (${IS_BACKLOG}) = 1
         group by known_agents.name order by known_agents.name`,
      ),
    queuedTasks: (agents, limit) =>
      sql
        .all(
          `select ${IS_BACKLOG} as is_backlog, tasks.id, tasks.agent, tasks.owner, tasks.flow_id, tasks.conversation_id,
             tasks.depends_on, tasks.trust
           from tasks left join known_agents on known_agents.name = tasks.agent
           where tasks.status = 'queued' and tasks.agent in (select value from json_each(?))
           order by is_backlog, row_number() over (partition by tasks.owner, ${IS_BACKLOG} order by tasks.id), tasks.id
           limit ?`,
          [agents, limit],
        )
        .map(QUEUE.read),
    lastSession: (conversationId, sessionKey) =>
      sql.value(
        `select session_id from runs
         where conversation_id = ? and session_key = ? and session_id is not null order by id desc limit 1`,
        [conversationId, sessionKey],
      ),
    sessionFolder: (sessionId) =>
      sql.value('select folder from runs where session_id = ? order by id desc limit 1', [sessionId]),
    runOnBranch: (branch) => RUNS.one(sql, 'where branch = ? order by id desc limit 1', [branch]),
    sessionMeter(sessionId) {
      const meter = sql.value<string>(
        'select meter from runs where session_id = ? and meter is not null order by id desc limit 1',
        [sessionId],
      );
      return meter === null ? [] : (JSON.parse(meter) as ModelTokens[]);
    },
    pausedAgents: (now) =>
      sql.all<PausedAgent>(
        'select agent, max(retry_at) as "until" from runs where retry_at > ? group by agent',
        [now],
      ),
    spent: (since, { flowId, agent, owner, exceptOwners } = {}) =>
      sql.one<Spent>(
        `select count(*) as runs,
           coalesce(sum(iif(state = 'running', 0, ${COST})), 0) as "endedUsd",
           coalesce(sum(iif(state = 'running', ${COST}, 0)), 0) as "runningUsd"
         from ${ALL_RUNS}
         where started_at > :since ${flowId === undefined ? '' : 'and flow_id = :flowId'}
           ${agent === undefined ? '' : 'and agent = :agent'} ${ownedBy(owner)}
           ${exceptOwners === undefined ? '' : 'and owner not in (select value from json_each(:exceptOwners))'}`,
        {
          since,
          exceptOwners: exceptOwners ?? null,
          flowId: flowId ?? null,
          agent: agent ?? null,
          owner: owner ?? null,
        },
      ) ?? { runs: 0, endedUsd: 0, runningUsd: 0 },
    costs: (since, owner) =>
      sql.all(
        `select date(started_at / 1000, 'unixepoch') as day, agent, count(*) as runs, sum(${COST}) as usd
         from ${ALL_RUNS} where started_at > :since ${ownedBy(owner)} group by 1, 2 order by 1, 2`,
        { since, owner: owner ?? null },
      ),
    spend: (by, since, owner) =>
      sql.all<Spend>(
        `select ${by} as name, count(*) as runs, count(cost_usd) as "knownRuns",
           coalesce(sum(cost_usd), 0) as "costUsd",
           coalesce(sum(iif(cost_usd is null, reserved_usd, 0)), 0) as "reservedUsd",
           coalesce(sum(input_tokens), 0) as "inputTokens", coalesce(sum(output_tokens), 0) as "outputTokens"
         from ${ALL_RUNS} where started_at > :since ${ownedBy(owner)} group by ${by}
         order by coalesce(sum(cost_usd), 0) + coalesce(sum(iif(cost_usd is null, reserved_usd, 0)), 0) desc,
           runs desc, name`,
        { since, owner: owner ?? null },
      ),
  };
}
