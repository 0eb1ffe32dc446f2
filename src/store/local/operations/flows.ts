import type { FlowAlias } from '../../store.ts';
import type { TaskCreation } from '../../tasks.ts';
import type { Sql } from '../sql.ts';
import { ALIASES, CONVERSATIONS, FLOWS } from '../tables/flows.ts';

type FlowOpening = Pick<
  TaskCreation,
  'flowId' | 'externalId' | 'newConversationId' | 'startNewConversation' | 'at'
>;

/**
 * Makes a flow that does not exist, and a conversation where the flow has none or another was asked for. A dispatch can be repeated:
 * a conversation that it has made before is not made again, nor made the current one of its flow.
 */
export function openFlow(sql: Sql, opening: FlowOpening): void {
  const { flowId, externalId, newConversationId: id, startNewConversation, at } = opening;
  if (CONVERSATIONS.get(sql, id) !== null) return;
  if (FLOWS.get(sql, flowId) === null) {
    FLOWS.insert(sql, { id: flowId, externalId, currentConversationId: id, createdAt: at });
  } else if (startNewConversation) {
    FLOWS.update(sql, flowId, { currentConversationId: id });
  } else {
    return;
  }
  CONVERSATIONS.insert(sql, { id, flowId, createdAt: at });
}

/** Adds a name to a flow that exists; one that is taken stays with its flow. */
export function insertAlias(sql: Sql, alias: FlowAlias, at: number): void {
  if (FLOWS.get(sql, alias.flowId) === null) return;
  ALIASES.insert(sql, { ...alias, createdAt: at }, 'on conflict (alias) do nothing');
}
