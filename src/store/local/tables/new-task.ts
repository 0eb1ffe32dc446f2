import { type CompiledQuery, sql } from 'kysely';
import type { TaskCreation } from '../../tasks.ts';
import { type TaskRow } from './rows.ts';
import { recordCreation } from './transitions.ts';
import { sqlBuilder } from "./builder.ts";

/** Stores a task that no delivery made, with its flow and conversation where those are new. One job, one row. */
export function createTask(creation: TaskCreation): readonly CompiledQuery<TaskRow>[] {
  return [
    openFlow(creation),
    openConversation(creation),
    insertTask(creation),
    recordCreation(creation.task.id, creation.actor) as CompiledQuery<never>,
  ];
}

function openFlow({ flowId, externalId, newConversationId, startNewConversation, at }: TaskCreation) {
  return sqlBuilder
    .insertInto('flows')
    .values({
      id: flowId,
      external_id: externalId,
      current_conversation_id: newConversationId,
      created_at: at,
    })
    .onConflict((conflict) =>
      startNewConversation
        ? conflict.column('id').doUpdateSet({ current_conversation_id: newConversationId })
        : conflict.column('id').doNothing(),
    )
    .compile() as CompiledQuery<never>;
}

/** Makes the conversation only where `openFlow` made it the flow's current one. */
function openConversation({ flowId, newConversationId, at }: TaskCreation) {
  const opened = sqlBuilder
    .selectFrom('flows')
    .select((eb) => ['current_conversation_id', 'id', eb.val(at).as('created_at')])
    .where('id', '=', flowId)
    .where('current_conversation_id', '=', newConversationId);
  return sqlBuilder
    .insertInto('conversations')
    .columns(['id', 'flow_id', 'created_at'])
    .expression(opened)
    .compile() as CompiledQuery<never>;
}

const COLUMNS = [
  'id',
  'title',
  'status',
  'agent',
  'prompt',
  'flow_id',
  'conversation_id',
  'source',
  'parent_task_id',
  'initiated_task_id',
  'depends_on',
  'external_id',
  'url',
  'source_metadata',
  'sync_to_claude',
  'trust',
  'sample',
  'created_at',
  'updated_at',
] as const;

function hasRoom({ flowId, parent, mostBelow = null }: TaskCreation) {
  if (parent === null || mostBelow === null) return sql<boolean>`true`;
  return sql<boolean>`(
    select count(*) from tasks where flow_id = ${flowId} and initiated_task_id = ${parent.initiatedTaskId}
      and parent_task_id is not null and completed_at is null) < ${mostBelow}`;
}

function insertTask(creation: TaskCreation): CompiledQuery<TaskRow> {
  const { task, parent, at } = creation;
  const inherited = creation.startNewConversation ? null : (parent?.conversationId ?? null);
  const row = sqlBuilder
    .selectFrom('flows')
    .select((eb) => [
      eb.val(task.id).as('id'),
      eb.val(task.title).as('title'),
      eb.val(task.status).as('status'),
      eb.val(task.agent).as('agent'),
      eb.val(task.prompt).as('prompt'),
      'flows.id as flow_id',
      eb.fn.coalesce(eb.val(inherited), 'flows.current_conversation_id').as('conversation_id'),
      eb.val(creation.source).as('source'),
      eb.val(parent?.id ?? null).as('parent_task_id'),
      eb.val(parent?.initiatedTaskId ?? task.id).as('initiated_task_id'),
      eb.val(JSON.stringify(creation.dependsOn)).as('depends_on'),
      'flows.external_id',
      eb.val(task.url).as('url'),
      eb.val(JSON.stringify(task.sourceMetadata)).as('source_metadata'),
      eb.val(task.syncToClaudeTasks ? 1 : 0).as('sync_to_claude'),
      // Without a parent a person on this machine typed it.
      eb.val(parent?.trust ?? 'operator').as('trust'),
      eb.val(parent?.isSample ? 1 : 0).as('sample'),
      eb.val(at).as('created_at'),
      eb.val(at).as('updated_at'),
    ])
    .where('flows.id', '=', creation.flowId)
    .where(hasRoom(creation));
  return sqlBuilder.insertInto('tasks').columns(COLUMNS).expression(row).returningAll().compile();
}
