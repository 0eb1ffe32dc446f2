import type { Conversation, Flow } from '../../../types.ts';
import type { FlowAlias, StoreReader } from '../../store.ts';
import type { ConversationFilter, FlowFilter } from '../../tasks.ts';
import { PAGE_SIZE, type Query, type Sql, where } from '../sql.ts';
import { toUsage, type UsageColumns } from './tasks.ts';

export function readFlows(sql: Sql): Pick<StoreReader, 'flows' | 'conversations' | 'aliases' | 'aliasesOf'> {
  return {
    flows(filter = {}) {
      const { text, values } = listFlows(filter);
      return sql.all<FlowRow>(text, values).map(toFlow);
    },
    conversations(filter = {}) {
      const { text, values } = listConversations(filter);
      return sql.all<ConversationTotalsRow>(text, values).map(toConversation);
    },
    aliases: (names) =>
      sql
        .all<FlowAliasRow>('select * from flow_aliases where alias in (select value from json_each(?))', [
          JSON.stringify(names),
        ])
        .map(toFlowAlias),
    aliasesOf: (flowId) =>
      sql.all<FlowAliasRow>('select * from flow_aliases where flow_id = ?', [flowId]).map(toFlowAlias),
  };
}

/** By the name that its id is made of, or by one that it has, too, since its subject was renamed or moved. */
const IS_NAMED = `id in (
  with given (name) as (select ?)
  select id from flows join given on external_id = name
  union all select flow_id from flow_aliases join given on alias = name)`;

export function listFlows({ id, externalId, before, limit = PAGE_SIZE }: FlowFilter): Query {
  const { text, values } = where({
    'id = ?': id,
    [IS_NAMED]: externalId,
    // Ids of flows come from their external ids and say nothing about time.
    '(created_at, id) < (select created_at, id from flows where id = ?)': before,
  });
  return {
    text: `select * from flows ${text} order by created_at desc, id desc limit ?`,
    values: [...values, limit],
  };
}

/** Conversations with totals, counted from their tasks: whatever happened in whatever order, they are right. */
export function listConversations(filter: ConversationFilter): Query {
  const { id, flowId, before, limit = PAGE_SIZE } = filter;
  const { text, values } = where({ 'id = ?': id, 'flow_id = ?': flowId, 'id < ?': before });
  return {
    text: `
      select conversations.*,
        (select coalesce(json_group_object(status, count), '{}') from (
          select status, count(*) as count from tasks as counted
          where counted.conversation_id = conversations.id group by status)) as by_status,
        sum(cost_usd) as cost_usd, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
        sum(duration_ms) as duration_ms,
        avg(case when completed_at is not null then cost_usd end) as average_cost_usd,
        min(started_at) as started_at,
        case when count(completed_at) = count(tasks.id) then max(completed_at) end as completed_at
      from conversations left join tasks on tasks.conversation_id = conversations.id
      where conversations.id in (select id from conversations ${text} order by id desc limit ?)
      group by conversations.id order by conversations.id desc`,
    values: [...values, limit],
  };
}

interface FlowRow {
  readonly id: string;
  readonly external_id: string;
  readonly current_conversation_id: string;
  readonly created_at: number;
}

export function flowRow(sql: Sql, id: string): FlowRow | null {
  return sql.one<FlowRow>('select * from flows where id = ?', [id]);
}

function toFlow(row: FlowRow): Flow {
  return {
    id: row.id,
    externalId: row.external_id,
    currentConversationId: row.current_conversation_id,
    createdAt: row.created_at,
  };
}

/** A row of `listConversations`. */
interface ConversationTotalsRow extends UsageColumns {
  readonly id: string;
  readonly flow_id: string;
  readonly created_at: number;
  /** JSON object of counts. */
  readonly by_status: string;
  /** Over tasks that ended and said what they cost; null when none did. */
  readonly average_cost_usd: number | null;
  readonly started_at: number | null;
  /** Null while a task is open. */
  readonly completed_at: number | null;
}

function toConversation(row: ConversationTotalsRow): Conversation {
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

interface FlowAliasRow {
  readonly alias: string;
  readonly flow_id: string;
  /** 1: an id that no rename changes; 0: an external id. */
  readonly stable: number;
}

function toFlowAlias({ alias, flow_id, stable }: FlowAliasRow): FlowAlias {
  return { alias, flowId: flow_id, stable: stable === 1 };
}
