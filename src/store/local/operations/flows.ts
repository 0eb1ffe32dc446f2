import type { FlowJoin, FlowLink } from '../../flows.ts';
import type { FlowAlias } from '../../store.ts';
import type { TaskCreation } from '../../tasks.ts';
import type { Sql } from '../sql.ts';
import { ALIASES, CONVERSATIONS, FLOWS, linkOf } from '../tables/flows.ts';

type FlowOpening = Pick<
  TaskCreation,
  'owner' | 'flowId' | 'externalId' | 'newConversationId' | 'startNewConversation' | 'at'
>;

/**
 * Makes a flow that does not exist, and a conversation where the flow has none or another was asked for. A dispatch can be repeated:
 * a conversation that it has made before is not made again, nor made the current one of its flow.
 */
export function openFlow(sql: Sql, opening: FlowOpening): void {
  const { owner, flowId, externalId, newConversationId: id, startNewConversation, at } = opening;
  if (CONVERSATIONS.get(sql, id) !== null) return;
  if (FLOWS.get(sql, flowId) === null) {
    FLOWS.insert(sql, { id: flowId, owner, externalId, currentConversationId: id, createdAt: at });
  } else if (startNewConversation) {
    FLOWS.update(sql, flowId, { currentConversationId: id });
  } else {
    return;
  }
  CONVERSATIONS.insert(sql, { id, owner, flowId, createdAt: at });
}

/** Adds a name to a flow that exists; one that is taken stays with its flow. */
export function insertAlias(sql: Sql, alias: FlowAlias, at: number): void {
  if (FLOWS.get(sql, alias.flowId) === null) return;
  ALIASES.insert(sql, { ...alias, createdAt: at }, 'on conflict (alias) do nothing');
}

/** Flows that one flow owns at most, itself included: a chain of wrong joins must not take everything in. */
const MOST_JOINED = 50;

/** Joins two flows. The link; null when nothing is to be joined. */
export function joinFlows(
  sql: Sql,
  { flows, reason, actor, isAsked, owner }: FlowJoin,
  at: number,
): FlowLink | null {
  for (const { flowId, externalId, newConversationId } of flows) {
    openFlow(sql, { owner, flowId, externalId, newConversationId, startNewConversation: false, at });
  }
  const [first, second] = flows.map(({ flowId }) => rootOf(sql, flowId));
  if (first === undefined || second === undefined || first === second) return null;
  const [older, younger] =
    (createdAt(sql, first) ?? at) < (createdAt(sql, second) ?? at) ? [first, second] : [second, first];
  const pairs = [
    [younger, older],
    [flows[0].flowId, flows[1].flowId],
  ];
  if (!isAsked && pairs.some(([one = '', other = '']) => wasUndone(sql, one, other))) return null;
  if (size(sql, older) + size(sql, younger) > MOST_JOINED) return null;
  sql.run('delete from flow_links where flow_id in (:a, :b) and into_flow_id in (:a, :b)', {
    a: older,
    b: younger,
  });
  sql.run(
    'insert into flow_links (flow_id, into_flow_id, reason, actor, created_at) values (?, ?, ?, ?, ?)',
    [younger, older, reason, actor, at],
  );
  return linkOf(sql, younger);
}

function createdAt(sql: Sql, flowId: string): number | null {
  return FLOWS.get(sql, flowId)?.createdAt ?? null;
}

/** The flow in which a flow goes on at last. Links make no circle, as only flows that go on in none are joined. */
export function rootOf(sql: Sql, flowId: string): string {
  const link = linkOf(sql, flowId);
  return link === null ? flowId : rootOf(sql, link.intoFlowId);
}

function size(sql: Sql, flowId: string): number {
  return sql.count(
    `with recursive joined (id) as (
       select id from flows where id = ?
       union select flow_id from flow_links join joined on into_flow_id = joined.id where undone = 0)
     select count(*) from joined`,
    [flowId],
  );
}

function wasUndone(sql: Sql, one: string, other: string): boolean {
  const query =
    'select count(*) from flow_links where undone = 1 and flow_id in (:one, :other) and into_flow_id in (:one, :other)';
  return sql.count(query, { one, other }) > 0;
}

/** False when the flow goes on in none. */
export function unlinkFlow(sql: Sql, flowId: string): boolean {
  const isLinked = linkOf(sql, flowId) !== null;
  sql.run('update flow_links set undone = 1 where flow_id = ? and undone = 0', [flowId]);
  return isLinked;
}
