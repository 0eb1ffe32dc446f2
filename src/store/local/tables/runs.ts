import { type CompiledQuery, sql } from 'kysely';
import type { AgentRun } from '../../../types.ts';
import type {
  Backlog,
  BudgetNotice,
  QueuedTask,
  RunEnding,
  RunNote,
  RunStart,
  RunWait,
  Spent,
  TaskEnding,
} from '../../runs.ts';
import type { TaskChange } from '../../tasks.ts';
import { sqlBuilder, whole } from './builder.ts';
import { insertReply, insertUnless } from './outbox.ts';
import type { RunRow, TaskRow } from './rows.ts';
import { changeTask, plus } from './transitions.ts';

/** Whether a queued task waits since before its agent was configured. Joins `known_agents`. */
const isBacklog = sql<number>`coalesce(tasks.updated_at <= known_agents.held_before, 0)`;

/** Tasks that wait since before their agents were configured. */
export function backlogs(): CompiledQuery<Backlog> {
  return sqlBuilder
    .selectFrom('known_agents')
    .innerJoin('tasks', 'tasks.agent', 'known_agents.name')
    .select((eb) => ['known_agents.name as agent', eb.fn.countAll<number>().as('tasks')])
    .where('known_agents.held_before', 'is not', null)
    .where('tasks.status', '=', 'queued')
    .where(isBacklog, '=', 1)
    .groupBy('known_agents.name')
    .orderBy('known_agents.name')
    .compile();
}

/**
 * Notes which agents are configured now: what is queued for a new one is its backlog. One that is no longer configured is
 * forgotten, and is new again when it comes back.
 */
export function noteAgents(names: readonly string[], now: number): readonly CompiledQuery<never>[] {
  const forget = sqlBuilder.deleteFrom('known_agents');
  return [
    (names.length === 0 ? forget : forget.where('name', 'not in', names)).compile() as CompiledQuery<never>,
    ...names.map(
      (name) =>
        sqlBuilder
          .insertInto('known_agents')
          .values({ name, configured_at: now, held_before: newestQueued(name) })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .compile() as CompiledQuery<never>,
    ),
  ];
}

/** By the tasks' own times, not by the clock: a task that is made from now on must not count. */
function newestQueued(agent: string) {
  return sql<number | null>`(select max(updated_at) from tasks where agent = ${agent} and status = 'queued')`;
}

/** Lets the backlog of an agent run. */
export function releaseBacklog(agent: string): CompiledQuery<{ name: string }> {
  return sqlBuilder
    .updateTable('known_agents')
    .set({ held_before: null })
    .where('name', '=', agent)
    .where('held_before', 'is not', null)
    .returning('name')
    .compile();
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

/** Made or changed, while its task is queued and it did not start meanwhile. */
export function noteWait({ id, task, runner, state, reason, at }: RunWait): CompiledQuery<never> {
  const row = sqlBuilder
    .selectFrom('tasks')
    .select((eb) => [
      eb.val(id).as('id'),
      'tasks.id as task_id',
      'tasks.flow_id',
      'tasks.conversation_id',
      'tasks.agent',
      eb.val(runner).as('runner'),
      eb.val(state).as('state'),
      eb.val(reason).as('reason'),
      eb.val(at).as('created_at'),
    ])
    .where('tasks.id', '=', task.id)
    .where('tasks.status', '=', 'queued');
  return sqlBuilder
    .insertInto('runs')
    .columns([
      'id',
      'task_id',
      'flow_id',
      'conversation_id',
      'agent',
      'runner',
      'state',
      'reason',
      'created_at',
    ])
    .expression(row)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ state, reason, runner }).where('runs.started_at', 'is', null),
    )
    .compile() as CompiledQuery<never>;
}

/** A run that never began leaves nothing behind. */
export function forgetWait(id: string): CompiledQuery<never> {
  return sqlBuilder
    .deleteFrom('runs')
    .where('id', '=', id)
    .where('started_at', 'is', null)
    .compile() as CompiledQuery<never>;
}

/** One job; its row is the task, none when it was not queued any more. */
export function startRun(start: RunStart): readonly CompiledQuery<TaskRow>[] {
  const { change } = start;
  const task = sqlBuilder
    .selectFrom('tasks')
    .select('id')
    .where('id', '=', change.taskId)
    .where('status', '=', change.from);
  const take = sqlBuilder
    .updateTable('runs')
    .set({
      state: 'running',
      reason: null,
      folder: start.folder,
      log_path: start.logPath,
      session_key: start.sessionKey,
      reserved_usd: start.reservedUsd,
      started_at: change.at,
    })
    .where('id', '=', start.wait.id)
    .where('started_at', 'is', null)
    .where((eb) => eb.exists(task))
    .compile() as CompiledQuery<never>;
  return [noteWait(start.wait), take, ...changeTask(change)];
}

export function noteRun(id: string, note: RunNote): CompiledQuery<never> {
  const { pid, commandLine, sessionId, openWith } = note;
  return sqlBuilder
    .updateTable('runs')
    .set({
      ...(pid !== undefined && { pid }),
      ...(commandLine !== undefined && { command_line: JSON.stringify(commandLine) }),
      ...(sessionId !== undefined && { session_id: sessionId }),
      ...(openWith !== undefined && { open_with: openWith }),
    })
    .where('id', '=', id)
    .compile() as CompiledQuery<never>;
}

/** One job; its row is the task as it is then. */
export function endRun(ending: RunEnding): readonly CompiledQuery<TaskRow>[] {
  const { id, state, reason, exitCode, signal, usage, denials, at, task } = ending;
  const end = sqlBuilder
    .updateTable('runs')
    .set({
      state,
      reason,
      exit_code: exitCode,
      signal,
      cost_usd: usage.costUsd,
      input_tokens: whole(usage.inputTokens),
      output_tokens: whole(usage.outputTokens),
      turns: whole(usage.turns),
      denials: JSON.stringify(denials),
      ended_at: at,
    })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .compile() as CompiledQuery<never>;
  return [end, ...(task === null ? [] : endTask(task))];
}

function endTask(task: TaskEnding): readonly CompiledQuery<TaskRow>[] {
  if (task.kind === 'change') return changeTask(task.change);
  const { taskId, from, result, spent, at } = task.report;
  const add = sqlBuilder
    .updateTable('tasks')
    .set({
      result: sql<string | null>`coalesce(result, ${result})`,
      cost_usd: plus('cost_usd', spent.costUsd),
      input_tokens: plus('input_tokens', whole(spent.inputTokens)),
      output_tokens: plus('output_tokens', whole(spent.outputTokens)),
      updated_at: at,
    })
    .where('id', '=', taskId)
    .where('status', '=', from)
    .returningAll()
    .compile();
  return [...insertReply(task.report as TaskChange), add];
}

/** One job; its row is there when the notice was given by it. */
export function giveNotice({
  scope,
  since,
  at,
  reply,
}: BudgetNotice): readonly CompiledQuery<{ scope: string }>[] {
  const isGiven = sqlBuilder
    .selectFrom('budget_notices')
    .select('scope')
    .where('scope', '=', scope)
    .where('given_at', '>', since);
  const note = sqlBuilder
    .insertInto('budget_notices')
    .values({ scope, given_at: at })
    .onConflict((conflict) =>
      conflict.column('scope').doUpdateSet({ given_at: at }).where('budget_notices.given_at', '<=', since),
    )
    .returning('scope')
    .compile();
  return [...(reply === null ? [] : [insertUnless(isGiven, reply, at)]), note] as const;
}
