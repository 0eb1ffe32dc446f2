import type { Conversation, Flow } from '../../../types.ts';
import type { FlowLink, HeldDelivery, RepairNote } from '../../flows.ts';
import type { FlowAlias, StoreReader } from '../../store.ts';
import type { ConversationFilter, FlowFilter } from '../../tasks.ts';
import { limited, page, type Query, type Sql, where } from '../sql.ts';
import { ownerIs } from './search.ts';
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

const LINKS: Table<FlowLink> = table('flow_links', { undone: ['flag', 'undone'] });

const SELECT_LINKS = `select flow_links.*, flows.external_id from flow_links join flows on flows.id = flow_links.flow_id`;

/** The link by which a flow goes on in another. */
export function linkOf(sql: Sql, flowId: string): FlowLink | null {
  const row = sql.one(`${SELECT_LINKS} where flow_id = ? and undone = 0`, [flowId]);
  return row === null ? null : LINKS.read(row);
}

export const REPAIRS: Table<RepairNote> = table('repairs', {});

export const HELD: Table<HeldDelivery> = table('held_deliveries', {});

type FlowReads =
  | 'held'
  | 'repairs'
  | 'flows'
  | 'conversations'
  | 'aliases'
  | 'aliasesOf'
  | 'linkOf'
  | 'linksInto'
  | 'ticketsNamed';

export function readFlows(sql: Sql): Pick<StoreReader, FlowReads> {
  return {
    flows: (filter = {}) => FLOWS.list(sql, listFlows(filter)),
    conversations(filter = {}) {
      const { text, values } = listConversations(filter);
      return sql.all(totals(text), values).map(CONVERSATIONS.read);
    },
    aliases: (names) => ALIASES.all(sql, 'where alias in (select value from json_each(?))', [names]),
    aliasesOf: (flowId) => ALIASES.all(sql, 'where flow_id = ?', [flowId]),
    held({ deliveryId, waitGroup, flowId }) {
      const { text, values } = where({
        'delivery_id = ?': deliveryId,
        'wait_group = ?': waitGroup,
        'flow_id = ?': flowId,
      });
      return HELD.all(sql, `${text} order by delivery_id`, values);
    },
    repairs({ subject, sha, since }) {
      const { text, values } = where({ 'subject = ?': subject, 'sha = ?': sha, 'at >= ?': since });
      return REPAIRS.list(sql, limited(`${text} order by at desc, id desc`, values, 1_000));
    },
    linkOf: (flowId) => linkOf(sql, flowId),
    linksInto: (flowId) =>
      sql
        .all(
          `${SELECT_LINKS} where into_flow_id = ? and undone = 0 order by flow_links.created_at, flow_id`,
          [flowId],
        )
        .map(LINKS.read),
    ticketsNamed: (key, owner) =>
      ['jira:', 'linear:'].flatMap((place) =>
        sql.column(
          'select external_id from flows where owner = :owner and (external_id = :own or external_id glob :there) limit 20',
          {
            owner,
            own: place + key,
            there: `${place}*/${key}`,
          },
        ),
      ),
  };
}

/**
 * By the name that its id is made of, or by one that it has, too, since its subject was renamed or moved (`ownedName`). An owner
 * other than the operator has a flow, so that an index knows all of them.
 */
const IS_NAMED = `id in (
  with given (name) as (select ?)
  select id from flows join given on external_id = name
  union all select flow_id from flow_aliases join given on alias = name
  union all select flow_id from flow_aliases where alias in (
    select distinct owner || '|' || name from flows join given on true where owner <> 'operator'))`;

/** Lists show no flow that goes on in another, and none about which no task was made. */
const IS_SHOWN = `not exists (select 1 from flow_links where flow_links.flow_id = flows.id and undone = 0)
  and (exists (select 1 from tasks where tasks.flow_id = flows.id)
    or not exists (select 1 from flow_links where flows.id in (flow_links.flow_id, into_flow_id))
    or exists (select 1 from flow_links join tasks on tasks.flow_id = flow_links.flow_id
      where into_flow_id = flows.id and undone = 0))`;

export function listFlows({ id, externalId, owner, before, limit }: FlowFilter): Query {
  // Ids of flows come from their external ids and say nothing about time.
  const isBefore = '(created_at, id) < (select created_at, id from flows where id = ?)';
  const isShown = id === undefined && externalId === undefined ? true : undefined;
  const { text, values } = where({
    'id = ?': id,
    [IS_NAMED]: externalId,
    [ownerIs(owner)]: owner,
    [IS_SHOWN]: isShown,
    [isBefore]: before,
  });
  return limited(`${text} order by created_at desc, id desc`, values, limit);
}

export function listConversations({ id, flowId, owner, ...range }: ConversationFilter): Query {
  return page({ 'id = ?': id, 'flow_id = ?': flowId, [ownerIs(owner)]: owner }, range);
}

/** Counted from the tasks: whatever happened in whatever order, they are right. */
function totals(selection: string): string {
  return `
    select conversations.*,
      (select coalesce(json_group_object(status, count), '{}') from (
        select status, count(*) as count from tasks as counted
        where counted.conversation_id = conversations.id group by status) as statuses) as by_status,
      sum(cost_usd) as cost_usd, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
      sum(duration_ms) as duration_ms,
      avg(case when completed_at is not null then cost_usd end) as average_cost_usd,
      min(started_at) as started_at,
      case when count(completed_at) = count(tasks.id) then max(completed_at) end as completed_at
    from conversations left join tasks on tasks.conversation_id = conversations.id
    where conversations.id in (select id from conversations ${selection})
    group by conversations.id order by conversations.id desc`;
}
