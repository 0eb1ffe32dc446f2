import { type CompiledQuery, sql } from 'kysely';
import type { TaskStatus, Transition, Trust } from '../../../types.ts';
import {
  type DeliveryOutcome,
  type Effect,
  effectsOf,
  type FlowThread,
  type TaskInFlow,
} from '../../store.ts';
import { compileOnce, sqlBuilder, whole } from './builder.ts';
import { insertAlias, openFlow } from './flows.ts';
import { insertOutgoing } from './outbox.ts';
import type { TaskRow } from './rows.ts';
import { insertTask } from './tasks.ts';
import { changeTask, recordStep } from './transitions.ts';

/**
 * The end of a delivery's dispatch as one job; its rows are the tasks as stored. Each query holds only while the
 * delivery is pending, which the last one ends, so a second outcome changes nothing.
 */
export function recordOutcome(outcome: DeliveryOutcome): readonly CompiledQuery<TaskRow>[] {
  const { deliveryId, effects, settledAt } = outcome;
  const tasks = effectsOf(effects, 'task');
  return [
    ...flowsOf(tasks).flatMap((flow) => openFlow({ ...flow, deliveryId, at: settledAt })),
    ...effectsOf(effects, 'alias').map(({ alias }) => insertAlias(alias, outcome)),
    ...effectsOf(effects, 'move').map(({ to }) => movePosts(to, deliveryId)),
    ...tasks.map(({ task, flowId, externalId, command }) =>
      insertTask({
        ...{ task, flowId, externalId, command, deliveryId, at: settledAt },
        ...{ initiatorId: task.id, parentId: null, dependsOn: [], conversationId: null, mostBelow: null },
        // Where the delivery's row does not say.
        ...{ source: '', trust: 'unverified', isSample: false },
      }),
    ),
    ...tasks.map(({ task }) => record(outcome, task.id, 'create', null, task.status)),
    ...effectsOf(effects, 'answer').flatMap((answer) => [
      record(outcome, answer.taskId, 'answer', 'waiting_answer', 'queued'),
      answerTask(answer, outcome),
    ]),
    ...effectsOf(effects, 'approve').flatMap(({ taskId }) => [
      record(outcome, taskId, 'approve', 'waiting_approval', 'queued'),
      approveTask(taskId, outcome),
    ]),
    ...effectsOf(effects, 'stop').flatMap(({ change }) => changeTask(change)),
    ...effectsOf(effects, 'post').map(({ item }) => insertOutgoing(item, deliveryId, settledAt)),
    closeDelivery(outcome),
  ];
}

/** Counts a failed attempt of a pending delivery. */
export function postponeDelivery(
  deliveryId: string,
  reason: string,
  nextAttemptAt: number,
): CompiledQuery<never> {
  return sqlBuilder
    .updateTable('deliveries')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), reason, next_attempt_at: whole(nextAttemptAt) }))
    .where('id', '=', deliveryId)
    .where('status', '=', 'pending')
    .compile() as CompiledQuery<never>;
}

type FlowWish = Omit<TaskInFlow, 'task' | 'command'>;

/** One wish per flow: tasks of one delivery in one flow share a conversation, new if any of them asks for it. */
function flowsOf(tasks: readonly TaskInFlow[]): readonly FlowWish[] {
  const byFlow = Map.groupBy(tasks, (task) => task.flowId);
  return [...byFlow.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const startNewConversation = [first, ...others].some((task) => task.startNewConversation);
    return [{ ...first, startNewConversation }];
  });
}

function pendingDelivery(deliveryId: string) {
  return sqlBuilder
    .selectFrom('deliveries')
    .where('deliveries.id', '=', deliveryId)
    .where('status', '=', 'pending');
}

/**
 * Lets the tasks of a flow post where its subject is now. A subject that got another number was copied: its comments have other ids,
 * so that the next post is a new one.
 */
function movePosts({ flowId, place }: FlowThread, deliveryId: string): CompiledQuery<never> {
  const patch = JSON.stringify({ reply: { place } });
  const isCopied = sql<boolean>`json_extract(source_metadata, '$.reply.place.number') <> ${place.number ?? null}`;
  const kept = sql`case when ${isCopied} then json_remove(source_metadata, '$.comment_outgoing_id') else source_metadata end`;
  return sqlBuilder
    .updateTable('tasks')
    .set({ source_metadata: sql<string>`json_patch(${kept}, ${patch})` })
    .where('flow_id', '=', flowId)
    .where(sql<boolean>`json_type(source_metadata, '$.reply.place') = 'object'`)
    .where(sql<boolean>`json_patch(source_metadata, ${patch}) <> source_metadata`)
    .where((eb) => eb.exists(pendingDelivery(deliveryId).select('deliveries.id')))
    .compile() as CompiledQuery<never>;
}

function answerTask(
  { taskId, prompt }: Extract<Effect, { readonly kind: 'answer' }>,
  outcome: DeliveryOutcome,
): CompiledQuery<TaskRow> {
  return sqlBuilder
    .updateTable('tasks')
    .set({
      status: 'queued',
      prompt: sql<string>`prompt || ${prompt}`,
      trust: lowerTrust(outcome.deliveryId),
      updated_at: outcome.settledAt,
    })
    .where('id', '=', taskId)
    .where('status', '=', 'waiting_answer')
    .where((eb) => eb.exists(pendingDelivery(outcome.deliveryId).select('deliveries.id')))
    .returningAll()
    .compile();
}

/** The prompt holds the words of both from now on. */
function lowerTrust(deliveryId: string) {
  return sql<Trust>`(
    select case
      when 'unverified' in (tasks.trust, coalesce(answer.trust, 'unverified')) then 'unverified'
      when 'verified' in (tasks.trust, answer.trust) then 'verified'
      else 'operator' end
    from deliveries as answer where answer.id = ${deliveryId})`;
}

function approveTask(taskId: string, outcome: DeliveryOutcome): CompiledQuery<TaskRow> {
  return sqlBuilder
    .updateTable('tasks')
    .set({ status: 'queued', updated_at: outcome.settledAt })
    .where('id', '=', taskId)
    .where('status', '=', 'waiting_approval')
    .where((eb) => eb.exists(pendingDelivery(outcome.deliveryId).select('deliveries.id')))
    .returningAll()
    .compile();
}

function record(
  { deliveryId, settledAt }: DeliveryOutcome,
  taskId: string,
  event: Transition['event'],
  from: TaskStatus | null,
  to: TaskStatus,
): CompiledQuery<TaskRow> {
  return recordStep({ deliveryId, taskId, event, from, to, at: settledAt }) as CompiledQuery<never>;
}

function closeDelivery(outcome: DeliveryOutcome) {
  const { deliveryId, status, reason, settledAt, decisions, duplicateOf = null } = outcome;
  return updateSettled({
    ...{ deliveryId, status, reason, settledAt, duplicateOf },
    decisions: JSON.stringify(decisions),
  });
}

const updateSettled = compileOnce(
  (
    end: Pick<DeliveryOutcome, 'deliveryId' | 'status' | 'reason' | 'settledAt'> & {
      readonly decisions: string;
      readonly duplicateOf: string | null;
    },
  ) =>
    sqlBuilder
      .updateTable('deliveries')
      .set({
        status: end.status,
        reason: end.reason,
        settled_at: end.settledAt,
        next_attempt_at: null,
        decisions: end.decisions,
        duplicate_of: end.duplicateOf,
      })
      .where('id', '=', end.deliveryId)
      .where('status', '=', 'pending')
      .compile() as CompiledQuery<never>,
);
