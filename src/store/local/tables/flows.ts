import type { Conversation, Flow } from '../../../types.ts';
import type { FlowAlias, StoreReader } from '../../store.ts';
import type { ConversationFilter, FlowFilter } from '../../tasks.ts';
import { limited, page, type Query, type Sql, where } from '../sql.ts';
import { type Table, table } from './table.ts';

export const FLOWS: Table<Flow> = table('flows', {});

export const ALIASES: Table<FlowAlias, { readonly createdAt: number }> = table(
  'flow_aliases',
  { stable: ['flag', 'stable'] },
  ['createdAt'],
);

export const CONVERSATIONS: Table<Conversation> = table('conversations', {
  byStatus: ['json', 'by_status'],
  usage: ['fields', 'costUsd', 'inputTokens', 'outputTokens', 'durationMs'],
});

export function readFlows(sql: Sql): Pick<StoreReader, 'flows' | 'conversations' | 'aliases' | 'aliasesOf'> {
  return {
    flows: (filter = {}) => FLOWS.list(sql, listFlows(filter)),
    conversations(filter = {}) {
      const { text, values } = listConversations(filter);
      return sql.all(totals(text), values).map(CONVERSATIONS.read);
    },
    aliases: (names) => ALIASES.all(sql, 'where alias in (select value from json_each(?))', [names]),
    aliasesOf: (flowId) => ALIASES.all(sql, 'where flow_id = ?', [flowId]),
  };
}

/** By the name that its id is made of, or by one that it has, too, since its subject was renamed or moved. */
const IS_NAMED = `id in (
  with given (name) as (select ?)
  select id from flows join given on external_id = name
  union all select flow_id from flow_aliases join given on alias = name)`;

export function listFlows({ id, externalId, before, limit }: FlowFilter): Query {
  // Ids of flows come from their external ids and say nothing about time.
  const isBefore = '(created_at, id) < (select created_at, id from flows where id = ?)';
  const { text, values } = where({ 'id = ?': id, [IS_NAMED]: externalId, [isBefore]: before });
  return limited(`${text} order by created_at desc, id desc`, values, limit);
}

export function listConversations({ id, flowId, ...range }: ConversationFilter): Query {
  return page({ 'id = ?': id, 'flow_id = ?': flowId }, range);
}

/** Counted from the tasks: whatever happened in whatever order, they are right. */
function totals(selection: string): string {
  return `
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
    where conversations.id in (select id from conversations ${selection})
    group by conversations.id order by conversations.id desc`;
}
