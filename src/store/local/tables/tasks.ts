import { type CompiledQuery, sql } from 'kysely';
import type { NewTask, Task, Trust } from '../../../types.ts';
import type { SyncNote, TaskCreation, TaskFilter } from '../../tasks.ts';
import { compileOnce, PAGE_SIZE, sqlBuilder } from './builder.ts';
import { isOpen, openFlow, toUsage } from './flows.ts';
import type { TaskRow } from './rows.ts';
import { recordCreation } from './transitions.ts';

/** Stores a task that no delivery made, with its flow and conversation where those are new. One job, one row. */
export function createTask(creation: TaskCreation): readonly CompiledQuery<TaskRow>[] {
  const { task, parent, at, flowId, source, actor, mostBelow = null } = creation;
  const inherited = creation.startNewConversation ? null : (parent?.conversationId ?? null);
  return [
    ...openFlow({ ...creation, deliveryId: null }),
    insertTask({
      ...{ task, flowId, source, at, mostBelow },
      deliveryId: null,
      command: null,
      externalId: null,
      conversationId: inherited,
      parentId: parent?.id ?? null,
      initiatorId: parent?.initiatedTaskId ?? task.id,
      dependsOn: creation.dependsOn,
      // Without a parent a person on this machine typed it.
      trust: parent?.trust ?? 'operator',
      isSample: parent?.isSample ?? false,
    }),
    recordCreation(task.id, actor) as CompiledQuery<never>,
  ];
}

/** A task of a flow that exists. A delivery's own source, trust and sample mark take precedence. */
interface TaskInsertion {
  readonly task: NewTask;
  readonly flowId: string;
  /** Stored only while this delivery is pending; null when no delivery made the task. */
  readonly deliveryId: string | null;
  readonly command: string | null;
  /** Null for the flow's. */
  readonly externalId: string | null;
  /** Null for the flow's current one. */
  readonly conversationId: string | null;
  readonly source: string;
  readonly parentId: string | null;
  readonly initiatorId: string;
  readonly dependsOn: readonly string[];
  readonly trust: Trust;
  readonly isSample: boolean;
  /** Most open tasks below the same initiator: the task is not stored when there are as many; null for no limit. */
  readonly mostBelow: number | null;
  readonly at: number;
}

export function insertTask({ task, dependsOn, isSample, ...values }: TaskInsertion): CompiledQuery<TaskRow> {
  const { id, title, status, agent, prompt, url } = task;
  return insertTaskRow({
    ...values,
    ...{ id, title, status, agent, prompt, url },
    sourceMetadata: JSON.stringify(task.sourceMetadata),
    syncToClaude: task.syncToClaudeTasks ? 1 : 0,
    dependsOn: JSON.stringify(dependsOn),
    sample: isSample ? 1 : 0,
  });
}

interface TaskValues
  extends Omit<TaskInsertion, 'task' | 'dependsOn' | 'isSample'>,
    Pick<NewTask, 'id' | 'title' | 'status' | 'agent' | 'prompt' | 'url'> {
  /** JSON. */
  readonly sourceMetadata: string;
  readonly syncToClaude: number;
  /** JSON. */
  readonly dependsOn: string;
  readonly sample: number;
}

const insertTaskRow = compileOnce((task: TaskValues) => {
  const row = sqlBuilder
    .selectFrom('flows')
    .leftJoin('deliveries', (join) => join.on('deliveries.id', '=', task.deliveryId))
    .select((eb) => [
      eb.val(task.id).as('id'),
      eb.val(task.title).as('title'),
      eb.val(task.status).as('status'),
      eb.val(task.agent).as('agent'),
      eb.val(task.prompt).as('prompt'),
      'flows.id as flow_id',
      eb.fn.coalesce(eb.val(task.conversationId), 'flows.current_conversation_id').as('conversation_id'),
      eb.fn.coalesce('deliveries.provider', eb.val(task.source)).as('source'),
      eb.val(task.parentId).as('parent_task_id'),
      eb.val(task.initiatorId).as('initiated_task_id'),
      eb.val(task.dependsOn).as('depends_on'),
      'deliveries.id as delivery_id',
      'deliveries.webhook',
      eb.val(task.command).as('command'),
      eb.fn.coalesce(eb.val(task.externalId), 'flows.external_id').as('external_id'),
      eb.val(task.url).as('url'),
      eb.val(task.sourceMetadata).as('source_metadata'),
      eb.val(task.syncToClaude).as('sync_to_claude'),
      eb.fn.coalesce('deliveries.trust', eb.val(task.trust)).as('trust'),
      eb.fn.coalesce('deliveries.sample', eb.val(task.sample)).as('sample'),
      eb.val(task.at).as('created_at'),
      eb.val(task.at).as('updated_at'),
    ])
    .where('flows.id', '=', task.flowId)
    .where(isOpen(task.deliveryId))
    .where(hasRoom(task));
  return sqlBuilder.insertInto('tasks').columns(COLUMNS).expression(row).returningAll().compile();
});

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

function hasRoom({ flowId, initiatorId, parentId, mostBelow }: TaskValues) {
  return sql<boolean>`(${mostBelow} is null or ${parentId} is null or (
    select count(*) from tasks where flow_id = ${flowId} and initiated_task_id = ${initiatorId}
      and parent_task_id is not null and completed_at is null) < ${mostBelow})`;
}

export const taskById = compileOnce(
  ({ id }: { readonly id: string }): CompiledQuery<TaskRow> =>
    sqlBuilder.selectFrom('tasks').selectAll().where('id', '=', id).compile(),
);

export function listTasks(filter: TaskFilter): CompiledQuery<TaskRow> {
  const {
    status,
    open,
    agent,
    flowId,
    conversationId,
    deliveryId,
    after,
    before,
    limit = PAGE_SIZE,
  } = filter;
  return sqlBuilder
    .selectFrom('tasks')
    .selectAll()
    .where((eb) =>
      eb.and([
        ...(status === undefined ? [] : [eb('status', '=', status)]),
        ...(open === undefined ? [] : [eb('completed_at', 'is', null)]),
        ...(agent === undefined ? [] : [eb('agent', '=', agent)]),
        ...(flowId === undefined ? [] : [eb('flow_id', '=', flowId)]),
        ...(conversationId === undefined ? [] : [eb('conversation_id', '=', conversationId)]),
        ...(deliveryId === undefined ? [] : [eb('delivery_id', '=', deliveryId)]),
        ...(after === undefined ? [] : [eb('id', '>', after)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', after === undefined ? 'desc' : 'asc')
    .limit(limit)
    .compile();
}

export function countTasks() {
  return sqlBuilder
    .selectFrom('tasks')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .groupBy('status')
    .compile();
}

export function agentNames(): CompiledQuery<{ agent: string }> {
  return sqlBuilder.selectFrom('tasks').select('agent').distinct().orderBy('agent').compile();
}

/** The oldest task of a flow that waits for a person's answer. */
export function openQuestionOf(flowId: string): CompiledQuery<TaskRow> {
  return sqlBuilder
    .selectFrom('tasks')
    .selectAll()
    .where('flow_id', '=', flowId)
    .where('status', '=', 'waiting_answer')
    .orderBy('id')
    .limit(1)
    .compile();
}

/**
 * Tasks that belong into Claude's directory: open ones, and the last `finished` that ended, by id. Both sets come
 * from an index of their own, so that thousands of finished tasks cost nothing.
 */
export function projectableTasks(finished: number): CompiledQuery<TaskRow> {
  const synced = sqlBuilder.selectFrom('tasks').select('id').where('sync_to_claude', '=', 1);
  const lastEnded = synced
    .where('completed_at', 'is not', null)
    .orderBy('completed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(finished);
  const due = synced
    .where('completed_at', 'is', null)
    .unionAll(sqlBuilder.selectFrom(lastEnded.as('last_ended')).select('id'));
  return sqlBuilder.selectFrom('tasks').selectAll().where('id', 'in', due).orderBy('id').compile();
}

/** Merges the location of a task's files into its metadata; a null field leaves the stored value. */
export function noteTaskSync({ taskId, claudeTaskId, claudeList, unsynced }: SyncNote): CompiledQuery<never> {
  const known = {
    ...(claudeTaskId === null ? {} : { claude_task_id: claudeTaskId }),
    ...(claudeList === null ? {} : { claude_list: claudeList }),
  };
  return updateSync({ taskId, unsynced, known: JSON.stringify(known) });
}

const updateSync = compileOnce(
  ({ taskId, unsynced, known }: Pick<SyncNote, 'taskId' | 'unsynced'> & { readonly known: string }) =>
    sqlBuilder
      .updateTable('tasks')
      .set({ unsynced, source_metadata: sql<string>`json_patch(source_metadata, ${known})` })
      .where('id', '=', taskId)
      .compile() as CompiledQuery<never>,
);

/** Open tasks that wait for this one to be completed. */
export function dependentsOf(taskId: string): CompiledQuery<TaskRow> {
  return selectDependents({ taskId });
}

const selectDependents = compileOnce(({ taskId }: { readonly taskId: string }) =>
  sqlBuilder
    .selectFrom('tasks')
    .selectAll()
    .where('completed_at', 'is', null)
    // As in the index: with a parameter in its place SQLite would prepare the query anew each time.
    .where(sql<boolean>`depends_on <> '[]'`)
    .where(sql<boolean>`exists (select 1 from json_each(tasks.depends_on) where value = ${taskId})`)
    .compile(),
);

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    title: row.title,
    status: row.status,
    agent: row.agent,
    prompt: row.prompt,
    flowId: row.flow_id,
    conversationId: row.conversation_id,
    source: row.source,
    parentTaskId: row.parent_task_id,
    dependsOn: JSON.parse(row.depends_on),
    initiatedTaskId: row.initiated_task_id,
    deliveryId: row.delivery_id,
    webhook: row.webhook,
    command: row.command,
    externalId: row.external_id,
    url: row.url,
    result: row.result,
    error: row.error,
    sourceMetadata: JSON.parse(row.source_metadata),
    syncToClaudeTasks: row.sync_to_claude === 1,
    unsynced: row.unsynced,
    trust: row.trust,
    isSample: row.sample === 1,
    usage: toUsage(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}
