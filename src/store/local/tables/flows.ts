import { type CompiledQuery, sql } from 'kysely';
import type { Conversation, Flow, TaskUsage } from '../../../types.ts';
import type { DeliveryOutcome, FlowAlias } from '../../store.ts';
import type { ConversationFilter, FlowFilter } from '../../tasks.ts';
import { compileOnce, PAGE_SIZE, sqlBuilder } from './builder.ts';
import type { ConversationRow, FlowAliasRow, FlowRow, TaskRow } from './rows.ts';

/** A flow that something belongs to, made if it does not exist. */
interface FlowOpening {
  /** Opened only while this delivery is pending; null when no delivery is behind it. */
  readonly deliveryId: string | null;
  readonly flowId: string;
  readonly externalId: string;
  /** Used if the flow has no conversation yet, or if a new one was asked for. */
  readonly newConversationId: string;
  readonly startNewConversation: boolean;
  readonly at: number;
}

/** Opens a flow, and its conversation where that is new. */
export function openFlow(opening: FlowOpening): readonly CompiledQuery<never>[] {
  const { deliveryId, flowId, externalId, newConversationId, at } = opening;
  const insert = opening.startNewConversation ? insertFlowAnew : insertFlowIfNone;
  return [
    insert({ deliveryId, flowId, externalId, newConversationId, at }),
    insertConversation({ deliveryId, flowId, newConversationId, at }),
  ];
}

type FlowValues = Omit<FlowOpening, 'startNewConversation'>;

const insertFlowIfNone = compileOnce(
  (flow: FlowValues) =>
    insertFlow(flow)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .compile() as CompiledQuery<never>,
);

const insertFlowAnew = compileOnce(
  (flow: FlowValues) =>
    insertFlow(flow)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ current_conversation_id: flow.newConversationId }),
      )
      .compile() as CompiledQuery<never>,
);

function insertFlow({ deliveryId, flowId, externalId, newConversationId, at }: FlowValues) {
  const opened = sqlBuilder
    .selectNoFrom((eb) => [
      eb.val(flowId).as('id'),
      eb.val(externalId).as('external_id'),
      eb.val(newConversationId).as('current_conversation_id'),
      eb.val(at).as('created_at'),
    ])
    .where(isOpen(deliveryId));
  return sqlBuilder
    .insertInto('flows')
    .columns(['id', 'external_id', 'current_conversation_id', 'created_at'])
    .expression(opened);
}

/** Makes the conversation only where the flow has just got it. */
const insertConversation = compileOnce(
  ({ deliveryId, flowId, newConversationId, at }: Omit<FlowValues, 'externalId'>) => {
    const opened = sqlBuilder
      .selectFrom('flows')
      .select((eb) => ['current_conversation_id', 'id', eb.val(at).as('created_at')])
      .where('id', '=', flowId)
      .where('current_conversation_id', '=', newConversationId)
      .where(isOpen(deliveryId));
    return sqlBuilder
      .insertInto('conversations')
      .columns(['id', 'flow_id', 'created_at'])
      .expression(opened)
      .compile() as CompiledQuery<never>;
  },
);

/** Whether a delivery is pending; true without one. */
export function isOpen(deliveryId: string | null) {
  return sql<boolean>`(${deliveryId} is null
    or exists (select 1 from deliveries where deliveries.id = ${deliveryId} and deliveries.status = 'pending'))`;
}

export function listFlows({ id, externalId, before, limit = PAGE_SIZE }: FlowFilter): CompiledQuery<FlowRow> {
  return sqlBuilder
    .selectFrom('flows')
    .selectAll()
    .where((eb) =>
      eb.and([
        ...(id === undefined ? [] : [eb('id', '=', id)]),
        ...(externalId === undefined
          ? []
          : [eb.or([eb('external_id', '=', externalId), aliased(externalId)])]),
        ...(before === undefined ? [] : [olderThan(before)]),
      ]),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .compile();
}

/** Whether a flow has this name, too, since its subject was renamed or moved. */
function aliased(name: string) {
  return sql<boolean>`id in (select flow_id from flow_aliases where alias = ${name})`;
}

/** Ids of flows come from their external ids and say nothing about time. */
function olderThan(flowId: string) {
  return sql<boolean>`(created_at, id) < (select created_at, id from flows where id = ${flowId})`;
}

/** Conversations with totals, counted from their tasks: whatever happened in whatever order, they are right. */
export function listConversations(filter: ConversationFilter): CompiledQuery<ConversationTotalsRow> {
  const { id, flowId, before, limit = PAGE_SIZE } = filter;
  const page = sqlBuilder
    .selectFrom('conversations')
    .select(['id'])
    .where((eb) =>
      eb.and([
        ...(id === undefined ? [] : [eb('id', '=', id)]),
        ...(flowId === undefined ? [] : [eb('flow_id', '=', flowId)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', 'desc')
    .limit(limit);
  return sqlBuilder
    .selectFrom('conversations')
    .leftJoin('tasks', 'tasks.conversation_id', 'conversations.id')
    .select((eb) => [
      'conversations.id',
      'conversations.flow_id',
      'conversations.created_at',
      countsByStatus.as('by_status'),
      eb.fn.sum<number | null>('tasks.cost_usd').as('cost_usd'),
      eb.fn.sum<number | null>('tasks.input_tokens').as('input_tokens'),
      eb.fn.sum<number | null>('tasks.output_tokens').as('output_tokens'),
      eb.fn.sum<number | null>('tasks.duration_ms').as('duration_ms'),
      averageCost.as('average_cost_usd'),
      eb.fn.min<number | null>('tasks.started_at').as('started_at'),
      lastEnd.as('completed_at'),
    ])
    .where('conversations.id', 'in', page)
    .groupBy('conversations.id')
    .orderBy('conversations.id', 'desc')
    .compile();
}

const countsByStatus = sql<string>`(
  select coalesce(json_group_object(status, count), '{}') from (
    select status, count(*) as count from tasks as counted
    where counted.conversation_id = conversations.id group by status
  )
)`;

/** Over tasks that ended and said what they cost; null when none did. */
const averageCost = sql<number | null>`avg(case when tasks.completed_at is not null then tasks.cost_usd end)`;

/** Null while a task is open. */
const lastEnd = sql<number | null>`case when count(tasks.completed_at) = count(tasks.id)
  then max(tasks.completed_at) end`;

/** The aliases among these names. */
export function aliasesNamed(names: readonly string[]): CompiledQuery<FlowAliasRow> {
  return selectNamed({ names: JSON.stringify(names) });
}

const selectNamed = compileOnce(({ names }: { readonly names: string }) =>
  sqlBuilder
    .selectFrom('flow_aliases')
    .selectAll()
    .where(sql<boolean>`alias in (select value from json_each(${names}))`)
    .compile(),
);

/** All aliases of a flow. */
export const aliasesOfFlow = compileOnce(({ flowId }: { readonly flowId: string }) =>
  sqlBuilder.selectFrom('flow_aliases').selectAll().where('flow_id', '=', flowId).compile(),
);

/** Adds a name to a flow that exists; one that is taken stays with its flow. */
export function insertAlias(
  { alias, flowId, stable }: FlowAlias,
  { deliveryId, settledAt }: DeliveryOutcome,
): CompiledQuery<never> {
  return insert({ alias, flowId, stable: stable ? 1 : 0, deliveryId, settledAt });
}

interface AliasValues extends Pick<FlowAlias, 'alias' | 'flowId'> {
  readonly stable: number;
  readonly deliveryId: string;
  readonly settledAt: number;
}

const insert = compileOnce(({ alias, flowId, stable, deliveryId, settledAt }: AliasValues) => {
  const row = sqlBuilder
    .selectFrom('deliveries')
    .innerJoin('flows', (join) => join.on('flows.id', '=', flowId))
    .select((eb) => [
      eb.val(alias).as('alias'),
      'flows.id as flow_id',
      eb.val(stable).as('stable'),
      eb.val(settledAt).as('created_at'),
    ])
    .where('deliveries.id', '=', deliveryId)
    .where('deliveries.status', '=', 'pending');
  return sqlBuilder
    .insertInto('flow_aliases')
    .columns(['alias', 'flow_id', 'stable', 'created_at'])
    .expression(row)
    .onConflict((conflict) => conflict.column('alias').doNothing())
    .compile() as CompiledQuery<never>;
});

export function toFlow(row: FlowRow): Flow {
  return {
    id: row.id,
    externalId: row.external_id,
    currentConversationId: row.current_conversation_id,
    createdAt: row.created_at,
  };
}

/** A row of `listConversations`. */
interface ConversationTotalsRow extends ConversationRow, UsageColumns {
  /** JSON object of counts. */
  readonly by_status: string;
  readonly average_cost_usd: number | null;
  readonly started_at: number | null;
  readonly completed_at: number | null;
}

export function toConversation(row: ConversationTotalsRow): Conversation {
  return {
    id: row.id,
    flowId: row.flow_id,
    createdAt: row.created_at,
    byStatus: JSON.parse(row.by_status),
    usage: toUsage(row),
    averageCostUsd: row.average_cost_usd,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

type UsageColumns = Pick<TaskRow, 'cost_usd' | 'input_tokens' | 'output_tokens' | 'duration_ms'>;

export function toUsage(row: UsageColumns): TaskUsage {
  return {
    costUsd: row.cost_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    durationMs: row.duration_ms,
  };
}

export function toFlowAlias({ alias, flow_id, stable }: FlowAliasRow): FlowAlias {
  return { alias, flowId: flow_id, stable: stable === 1 };
}
