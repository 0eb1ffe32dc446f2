import type { Task } from '../../../types.ts';
import type {
  Attachment,
  BudgetNotice,
  RunEnding,
  RunNote,
  RunStart,
  RunWait,
  TaskEnding,
} from '../../runs.ts';
import { type Sql, whole } from '../sql.ts';
import { ATTACHMENTS, RUNS } from '../tables/runs.ts';
import { addComment, insertReply } from './outbox.ts';
import { addUsage, applyChange } from './tasks.ts';

/** An agent that is no longer configured is forgotten, and is new again when it comes back. */
export function noteAgents(sql: Sql, names: readonly string[], at: number): void {
  sql.run('delete from known_agents where name not in (select value from json_each(?))', [names]);
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
  if (sql.value("select id from tasks where id = ? and status = 'queued'", [task.id]) === null) return;
  const { id: taskId, agent, owner, flowId, conversationId } = task;
  RUNS.insert(
    sql,
    { id, taskId, agent, owner, flowId, conversationId, runner, state, reason, createdAt: at },
    `on conflict (id) do update set state = excluded.state, reason = excluded.reason, runner = excluded.runner
     where runs.started_at is null`,
  );
}

export function startRun(sql: Sql, start: RunStart): Task | null {
  const { wait, change, ...facts } = start;
  noteWait(sql, wait);
  const task = applyChange(sql, change);
  if (task === null) return null;
  const running = { ...facts, state: 'running', reason: null, startedAt: change.at } as const;
  RUNS.update(sql, wait.id, running, 'started_at is null');
  sql.run(
    `update runs set webhook = root.webhook, person = root.source || coalesce(':' || deliveries.sender_name, '')
     from tasks as root left join deliveries on deliveries.id = root.delivery_id
     where runs.id = :run and root.id = :root`,
    { run: wait.id, root: task.initiatedTaskId },
  );
  return task;
}

export function attach(sql: Sql, attachment: Attachment): void {
  ATTACHMENTS.insert(
    sql,
    attachment,
    'on conflict (conversation_id) do update set at_once = max(attachments.at_once, excluded.at_once)',
  );
}

export function detach(sql: Sql, conversationId: string): boolean {
  return sql.run('delete from attachments where conversation_id = ?', [conversationId]) > 0;
}

export function noteRun(sql: Sql, id: string, note: RunNote): void {
  RUNS.update(sql, id, note);
}

export function endRun(sql: Sql, { id, task, at, usage, meter = null, ...end }: RunEnding): Task | null {
  const { inputTokens, outputTokens, turns } = usage;
  const taken = {
    costUsd: usage.costUsd,
    inputTokens: whole(inputTokens),
    outputTokens: whole(outputTokens),
    turns: whole(turns),
  };
  const counted = meter === null ? null : JSON.stringify(meter);
  RUNS.update(sql, id, { ...end, usage: taken, meter: counted, endedAt: at }, "state = 'running'");
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
  const given = sql.value('select scope from budget_notices where scope = ? and given_at > ?', [
    scope,
    since,
  ]);
  if (given !== null) return false;
  if (reply !== null) addComment(sql, reply.item, reply.deliveryId, at);
  sql.run(
    `insert into budget_notices (scope, given_at) values (:scope, :at)
     on conflict (scope) do update set given_at = :at`,
    { scope, at },
  );
  return true;
}
