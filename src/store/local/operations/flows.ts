import type { FlowAlias } from '../../store.ts';
import type { TaskCreation } from '../../tasks.ts';
import type { Sql } from '../sql.ts';
import { flowRow } from '../tables/flows.ts';

type FlowOpening = Pick<
  TaskCreation,
  'flowId' | 'externalId' | 'newConversationId' | 'startNewConversation' | 'at'
>;

/** Makes a flow that does not exist, and a conversation where the flow has none or another was asked for. */
export function openFlow(sql: Sql, opening: FlowOpening): void {
  const { flowId, externalId, newConversationId, startNewConversation, at } = opening;
  const values = { flowId, externalId, newConversationId, at };
  if (flowRow(sql, flowId) === null) {
    sql.run(
      `insert into flows (id, external_id, current_conversation_id, created_at)
       values (:flowId, :externalId, :newConversationId, :at)`,
      values,
    );
  } else if (startNewConversation) {
    sql.run('update flows set current_conversation_id = :newConversationId where id = :flowId', values);
  } else {
    return;
  }
  sql.run(
    'insert into conversations (id, flow_id, created_at) values (:newConversationId, :flowId, :at)',
    values,
  );
}

/** Adds a name to a flow that exists; one that is taken stays with its flow. */
export function insertAlias(sql: Sql, { alias, flowId, stable }: FlowAlias, at: number): void {
  if (flowRow(sql, flowId) === null) return;
  sql.run(
    `insert into flow_aliases (alias, flow_id, stable, created_at) values (?, ?, ?, ?)
     on conflict (alias) do nothing`,
    [alias, flowId, stable ? 1 : 0, at],
  );
}
