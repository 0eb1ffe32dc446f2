import { type CompiledQuery, sql } from 'kysely';
import type { TaskStatus, Transition } from '../../../types.ts';
import type { TaskChange, TaskNote } from '../../tasks.ts';
import { compileOnce, sqlBuilder, whole } from './builder.ts';
import { insertReply } from './outbox.ts';
import type { TaskRow, TransitionRow } from './rows.ts';

/** Moves a task on and records it. One job; its row is the task as it is now, none when it had left `from`. */
export function changeTask(change: TaskChange): readonly CompiledQuery<TaskRow>[] {
  return [recordChange(change), ...insertReply(change), updateTask(change)] as const;
}

/** Records an event that changes nothing, unless it is the last recorded one of the task. */
export function noteTask({ taskId, event, actor, reason, at }: TaskNote): CompiledQuery<{ id: number }> {
  const isLast = sql<boolean>`exists (
    select 1 from (
      select event, from_status, to_status, actor, reason from task_transitions
      where task_id = ${taskId} order by id desc limit 1
    ) as newest
    where newest.event = ${event} and newest.from_status = tasks.status and newest.to_status = tasks.status
      and newest.actor = ${actor} and newest.reason is ${reason}
  )`;
  const note = sqlBuilder
    .selectFrom('tasks')
    .select((eb) => [
      'tasks.id as task_id',
      eb.val(event).as('event'),
      'tasks.status as from_status',
      'tasks.status as to_status',
      eb.val(actor).as('actor'),
      eb.val(reason).as('reason'),
      eb.val(at).as('at'),
    ])
    .where('tasks.id', '=', taskId)
    .where((eb) => eb.not(isLast));
  return sqlBuilder
    .insertInto('task_transitions')
    .columns(COLUMNS)
    .expression(note)
    .returning('id')
    .compile();
}

/** A step of a task by a delivery, whose sender is the actor. */
interface DeliveryStep {
  readonly deliveryId: string;
  readonly taskId: string;
  readonly event: Transition['event'];
  /** Null when the delivery made the task, which is in `to` already. */
  readonly from: TaskStatus | null;
  readonly to: TaskStatus;
  readonly at: number;
}

/** Part of recording an outcome: only while the delivery is pending and the task is where the step begins. */
export function recordStep(step: DeliveryStep): CompiledQuery<never> {
  return insertStep({ ...step, present: step.from ?? step.to });
}

const insertStep = compileOnce(
  ({ deliveryId, taskId, event, from, to, at, present }: DeliveryStep & { readonly present: TaskStatus }) => {
    const step = sqlBuilder
      .selectFrom('deliveries')
      .innerJoin('tasks', (join) => join.on('tasks.id', '=', taskId))
      .select((eb) => [
        'tasks.id as task_id',
        eb.val(event).as('event'),
        eb.val(from).as('from_status'),
        eb.val(to).as('to_status'),
        sql<string>`coalesce(deliveries.provider || ':' || deliveries.sender_name, deliveries.provider)`.as(
          'actor',
        ),
        sql<null>`null`.as('reason'),
        eb.val(at).as('at'),
      ])
      .where('deliveries.id', '=', deliveryId)
      .where('deliveries.status', '=', 'pending')
      .where('tasks.status', '=', present);
    return insertFrom(step);
  },
);

/** The creation of a task that no delivery made. */
export function recordCreation(taskId: string, actor: string): CompiledQuery<never> {
  const made = sqlBuilder
    .selectFrom('tasks')
    .select((eb) => [
      'tasks.id as task_id',
      sql<'create'>`'create'`.as('event'),
      sql<null>`null`.as('from_status'),
      'tasks.status as to_status',
      eb.val(actor).as('actor'),
      sql<null>`null`.as('reason'),
      'tasks.created_at as at',
    ])
    .where('tasks.id', '=', taskId);
  return insertFrom(made);
}

export function transitionsOf(taskId: string): CompiledQuery<TransitionRow> {
  return sqlBuilder
    .selectFrom('task_transitions')
    .selectAll()
    .where('task_id', '=', taskId)
    .orderBy('id')
    .compile() as CompiledQuery<TransitionRow>;
}

const COLUMNS = ['task_id', 'event', 'from_status', 'to_status', 'actor', 'reason', 'at'] as const;

function insertFrom(rows: Parameters<InsertBuilder['expression']>[0]): CompiledQuery<never> {
  return sqlBuilder
    .insertInto('task_transitions')
    .columns(COLUMNS)
    .expression(rows)
    .compile() as CompiledQuery<never>;
}

type InsertBuilder = ReturnType<typeof sqlBuilder.insertInto<'task_transitions'>>;

function recordChange({ taskId, event, from, to, actor, at, reason }: TaskChange): CompiledQuery<never> {
  const step = sqlBuilder
    .selectFrom('tasks')
    .select((eb) => [
      'tasks.id as task_id',
      eb.val(event).as('event'),
      eb.val(from).as('from_status'),
      eb.val(to).as('to_status'),
      eb.val(actor).as('actor'),
      eb.val(reason).as('reason'),
      eb.val(at).as('at'),
    ])
    .where('tasks.id', '=', taskId)
    .where('tasks.status', '=', from);
  return insertFrom(step);
}

function updateTask(change: TaskChange): CompiledQuery<TaskRow> {
  const { taskId, from, to, at, spent, isEnd, reply } = change;
  return sqlBuilder
    .updateTable('tasks')
    .set({
      status: to,
      updated_at: at,
      completed_at: isEnd ? at : null,
      result: change.result,
      error: change.error,
      cost_usd: plus('cost_usd', spent.costUsd),
      input_tokens: plus('input_tokens', whole(spent.inputTokens)),
      output_tokens: plus('output_tokens', whole(spent.outputTokens)),
      ...(reply?.becomesTaskComment === true && {
        source_metadata: sql<string>`json_patch(source_metadata, ${JSON.stringify({ comment_outgoing_id: reply.item.id })})`,
      }),
      ...(from === 'running' && {
        duration_ms: sql<number>`coalesce(duration_ms, 0) + max(0, ${at} - coalesce(started_at, ${at}))`,
      }),
      ...(!isEnd && { started_at: to === 'running' ? at : null }),
    })
    .where('id', '=', taskId)
    .where('status', '=', from)
    .returningAll()
    .compile();
}

/** The column plus one more run's value; null adds nothing. */
export function plus(column: 'cost_usd' | 'input_tokens' | 'output_tokens', more: number | null) {
  return sql<number | null>`coalesce(${sql.ref(column)} + ${more}, ${sql.ref(column)}, ${more})`;
}

export function toTransition(row: Omit<TransitionRow, 'id'>): Transition {
  return {
    event: row.event,
    from: row.from_status,
    to: row.to_status,
    actor: row.actor,
    reason: row.reason,
    at: row.at,
  };
}
