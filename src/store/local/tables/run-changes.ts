import { type CompiledQuery, sql } from 'kysely';
import { insertReply, insertUnless } from './outbox.ts';
import type { BudgetNotice, RunEnding, RunNote, RunStart, RunWait, TaskEnding } from '../../runs.ts';
import type { TaskChange } from '../../tasks.ts';
import { sqlBuilder, type TaskRow } from './rows.ts';
import { changeTask, plus } from './transitions.ts';
import { whole } from './whole.ts';

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
