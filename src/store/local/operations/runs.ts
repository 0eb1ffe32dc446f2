import type { Task } from '../../../types.ts';
import type { BudgetNotice, RunEnding, RunNote, RunStart, RunWait, TaskEnding } from '../../runs.ts';
import { type Sql, whole } from '../sql.ts';
import { type RunRow, toRun } from '../tables/runs.ts';
import { addComment, insertReply } from './outbox.ts';
import { addUsage, applyChange } from './tasks.ts';

/** An agent that is no longer configured is forgotten, and is new again when it comes back. */
export function noteAgents(sql: Sql, names: readonly string[], at: number): void {
  sql.run('delete from known_agents where name not in (select value from json_each(?))', [
    JSON.stringify(names),
  ]);
  for (const name of names) {
    // By the tasks' own times, not by the clock: a task that is made from now on must not count.
    sql.run(
      `insert into known_agents (name, configured_at, held_before)
       values (:name, :at, (select max(updated_at) from tasks where agent = :name and status = 'queued'))
       on conflict (name) do nothing`,
      { name, at },
    );
  }
}

export function releaseBacklog(sql: Sql, agent: string): boolean {
  const changed = sql.run(
    'update known_agents set held_before = null where name = ? and held_before is not null',
    [agent],
  );
  return changed > 0;
}

/** A run that never began leaves nothing behind. */
export function noteWaiting(sql: Sql, waits: readonly RunWait[], gone: readonly string[]): void {
  for (const wait of waits) noteWait(sql, wait);
  for (const id of gone) sql.run('delete from runs where id = ? and started_at is null', [id]);
}

/** Makes or changes the run, while its task is queued and it has not started meanwhile. */
function noteWait(sql: Sql, { id, task, runner, state, reason, at }: RunWait): void {
  if (sql.one("select id from tasks where id = ? and status = 'queued'", [task.id]) === null) return;
  sql.run(
    `insert into runs (id, task_id, flow_id, conversation_id, agent, runner, state, reason, created_at)
     values (:id, :taskId, :flowId, :conversationId, :agent, :runner, :state, :reason, :at)
     on conflict (id) do update set state = :state, reason = :reason, runner = :runner
       where started_at is null`,
    {
      ...{ id, runner, state, reason, at },
      ...{ taskId: task.id, flowId: task.flowId, conversationId: task.conversationId, agent: task.agent },
    },
  );
}

export function startRun(sql: Sql, start: RunStart): Task | null {
  const { wait, folder, logPath, sessionKey, reservedUsd, change } = start;
  noteWait(sql, wait);
  const task = applyChange(sql, change);
  if (task === null) return null;
  sql.run(
    `update runs
     set state = 'running', reason = null, folder = :folder, log_path = :logPath, session_key = :sessionKey,
       reserved_usd = :reservedUsd, started_at = :at
     where id = :id and started_at is null`,
    { id: wait.id, folder, logPath, sessionKey, reservedUsd, at: change.at },
  );
  return task;
}

export function noteRun(sql: Sql, id: string, note: RunNote): void {
  const row = sql.one<RunRow>('select * from runs where id = ?', [id]);
  if (row === null) return;
  const { pid, commandLine, sessionId, openWith } = { ...toRun(row), ...note };
  sql.run(
    `update runs set pid = :pid, command_line = :commandLine, session_id = :sessionId, open_with = :openWith
     where id = :id`,
    { id, pid, commandLine: JSON.stringify(commandLine), sessionId, openWith },
  );
}

export function endRun(sql: Sql, ending: RunEnding): Task | null {
  const { id, state, reason, exitCode, signal, usage, denials, at, task } = ending;
  sql.run(
    `update runs
     set state = :state, reason = :reason, exit_code = :exitCode, signal = :signal, cost_usd = :costUsd,
       input_tokens = :inputTokens, output_tokens = :outputTokens, turns = :turns, denials = :denials,
       ended_at = :at
     where id = :id and state = 'running'`,
    {
      ...{ id, state, reason, exitCode, signal, at, costUsd: usage.costUsd, turns: whole(usage.turns) },
      inputTokens: whole(usage.inputTokens),
      outputTokens: whole(usage.outputTokens),
      denials: JSON.stringify(denials),
    },
  );
  return task === null ? null : endTask(sql, task);
}

function endTask(sql: Sql, ending: TaskEnding): Task | null {
  if (ending.kind === 'change') return applyChange(sql, ending.change);
  const { report } = ending;
  const task = addUsage(sql, report);
  if (task !== null && report.reply !== null) insertReply(sql, report.reply, report.at);
  return task;
}

export function giveNotice(sql: Sql, { scope, since, at, reply }: BudgetNotice): boolean {
  const given = sql.one('select scope from budget_notices where scope = ? and given_at > ?', [scope, since]);
  if (given !== null) return false;
  if (reply !== null) addComment(sql, reply.item, reply.deliveryId, at);
  sql.run(
    `insert into budget_notices (scope, given_at) values (:scope, :at)
     on conflict (scope) do update set given_at = :at`,
    { scope, at },
  );
  return true;
}
