import { type CompiledQuery, sql } from 'kysely';
import type { NewTask, TaskStatus, Transition, Trust } from '../../../types.ts';
import {
  type DeliveryOutcome,
  type Effect,
  effectsOf,
  type FlowThread,
  type TaskInFlow,
} from '../../store.ts';
import { compileOnce, sqlBuilder, whole } from './builder.ts';
import { insertAlias } from './flows.ts';
import { insertOutgoing } from './outbox.ts';
import type { TaskRow } from './rows.ts';
import { changeTask, recordStep } from './transitions.ts';

/**
 * The end of a delivery's dispatch as one job; its rows are the tasks as stored. Each query holds only while the
 * delivery is pending, which the last one ends, so a second outcome changes nothing.
 */
export function recordOutcome(outcome: DeliveryOutcome): readonly CompiledQuery<TaskRow>[] {
  const { deliveryId, effects, settledAt } = outcome;
  const tasks = effectsOf(effects, 'task');
  return [
    ...flowsOf(tasks).flatMap((flow) => [openFlow(flow, outcome), openConversation(flow, outcome)]),
    ...effectsOf(effects, 'alias').map(({ alias }) => insertAlias(alias, outcome)),
    ...effectsOf(effects, 'move').map(({ to }) => movePosts(to, deliveryId)),
    ...tasks.map((task) => insertTask(task, outcome)),
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

function openFlow(flow: FlowWish, { deliveryId, settledAt }: DeliveryOutcome): CompiledQuery<never> {
  const { flowId, externalId, newConversationId, startNewConversation } = flow;
  const values = { deliveryId, settledAt, flowId, externalId, newConversationId };
  return startNewConversation ? openFlowAnew(values) : openFlowIfNone(values);
}

interface FlowValues extends Pick<TaskInFlow, 'flowId' | 'externalId' | 'newConversationId'> {
  readonly deliveryId: string;
  readonly settledAt: number;
}

const openFlowIfNone = compileOnce(
  (flow: FlowValues) =>
    insertFlow(flow)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .compile() as CompiledQuery<never>,
);

const openFlowAnew = compileOnce(
  (flow: FlowValues) =>
    insertFlow(flow)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ current_conversation_id: flow.newConversationId }),
      )
      .compile() as CompiledQuery<never>,
);

function insertFlow({ deliveryId, flowId, externalId, newConversationId, settledAt }: FlowValues) {
  const wish = pendingDelivery(deliveryId).select((eb) => [
    eb.val(flowId).as('id'),
    eb.val(externalId).as('external_id'),
    eb.val(newConversationId).as('current_conversation_id'),
    eb.val(settledAt).as('created_at'),
  ]);
  return sqlBuilder
    .insertInto('flows')
    .columns(['id', 'external_id', 'current_conversation_id', 'created_at'])
    .expression(wish);
}

/** Makes the conversation only where `openFlow` made it the flow's current one. */
function openConversation(flow: FlowWish, { deliveryId, settledAt }: DeliveryOutcome): CompiledQuery<never> {
  const { flowId, newConversationId } = flow;
  return insertConversation({ deliveryId, settledAt, flowId, newConversationId });
}

const insertConversation = compileOnce(
  ({ deliveryId, flowId, newConversationId, settledAt }: Omit<FlowValues, 'externalId'>) => {
    const opened = pendingDelivery(deliveryId)
      .innerJoin('flows', (join) => join.on('flows.id', '=', flowId))
      .select((eb) => ['flows.current_conversation_id', 'flows.id', eb.val(settledAt).as('created_at')])
      .where('flows.current_conversation_id', '=', newConversationId);
    return sqlBuilder
      .insertInto('conversations')
      .columns(['id', 'flow_id', 'created_at'])
      .expression(opened)
      .compile() as CompiledQuery<never>;
  },
);

function insertTask({ task, flowId, externalId, command }: TaskInFlow, outcome: DeliveryOutcome) {
  const { id, title, status, agent, prompt, url } = task;
  return insertTaskRow({
    ...{ id, title, status, agent, prompt, url, flowId, externalId, command },
    deliveryId: outcome.deliveryId,
    settledAt: outcome.settledAt,
    sourceMetadata: JSON.stringify(task.sourceMetadata),
    syncToClaude: task.syncToClaudeTasks ? 1 : 0,
  });
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

const TASK_COLUMNS = [
  'id',
  'title',
  'status',
  'agent',
  'prompt',
  'flow_id',
  'conversation_id',
  'source',
  'initiated_task_id',
  'delivery_id',
  'webhook',
  'command',
  'external_id',
  'url',
  'source_metadata',
  'sync_to_claude',
  'trust',
  'sample',
  'created_at',
  'updated_at',
] as const;

interface TaskValues
  extends Pick<NewTask, 'id' | 'title' | 'status' | 'agent' | 'prompt' | 'url'>,
    Pick<TaskInFlow, 'flowId' | 'externalId' | 'command'> {
  readonly deliveryId: string;
  readonly settledAt: number;
  /** JSON. */
  readonly sourceMetadata: string;
  readonly syncToClaude: number;
}

const insertTaskRow = compileOnce((values: TaskValues) => {
  const row = pendingDelivery(values.deliveryId)
    .innerJoin('flows', (join) => join.on('flows.id', '=', values.flowId))
    .select((eb) => [
      eb.val(values.id).as('id'),
      eb.val(values.title).as('title'),
      eb.val(values.status).as('status'),
      eb.val(values.agent).as('agent'),
      eb.val(values.prompt).as('prompt'),
      'flows.id as flow_id',
      'flows.current_conversation_id as conversation_id',
      'deliveries.provider as source',
      eb.val(values.id).as('initiated_task_id'),
      'deliveries.id as delivery_id',
      'deliveries.webhook',
      eb.val(values.command).as('command'),
      eb.val(values.externalId).as('external_id'),
      eb.val(values.url).as('url'),
      eb.val(values.sourceMetadata).as('source_metadata'),
      eb.val(values.syncToClaude).as('sync_to_claude'),
      sql<Trust>`coalesce(deliveries.trust, 'unverified')`.as('trust'),
      sql<number>`coalesce(deliveries.sample, 0)`.as('sample'),
      eb.val(values.settledAt).as('created_at'),
      eb.val(values.settledAt).as('updated_at'),
    ]);
  return sqlBuilder.insertInto('tasks').columns(TASK_COLUMNS).expression(row).returningAll().compile();
});

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
