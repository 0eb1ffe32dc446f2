import type { Task, TaskStatus, Transition } from '../../../types.ts';
import type { ScheduleState, TaskFilter, TaskReader } from '../../tasks.ts';
import { page, type Query, type Sql } from '../sql.ts';
import { ownedBy, ownerIs, searchTasks } from './search.ts';
import { type Table, table } from './table.ts';

export const TASKS: Table<Task> = table('tasks', {
  dependsOn: ['json', 'depends_on'],
  sourceMetadata: ['json', 'source_metadata'],
  syncToClaudeTasks: ['flag', 'sync_to_claude'],
  isSample: ['flag', 'sample'],
  usage: ['fields', 'costUsd', 'inputTokens', 'outputTokens', 'durationMs'],
});

export function readTasks(sql: Sql): Omit<TaskReader, 'flows' | 'conversations' | 'prunableTrees'> {
  return {
    schedules: () =>
      sql.all<ScheduleState>('select name, last_due as "lastDue", paused from schedules order by name'),
    task: (id) => TASKS.get(sql, id),
    tasks: (filter = {}) => TASKS.list(sql, listTasks(filter)),
    transitions: (taskId) =>
      sql.all<Transition>(
        `select event, from_status as "from", to_status as "to", actor, reason, at
         from task_transitions where task_id = ? order by id`,
        [taskId],
      ),
    dependents: (taskId) =>
      TASKS.all(
        sql,
        `where completed_at is null and depends_on <> '[]'
           and exists (select 1 from json_each(tasks.depends_on) where value = ?)`,
        [taskId],
      ),
    agentNames: () => sql.column('select distinct agent from tasks order by agent'),
    countsByTaskStatus: (owner) => countsByStatus<TaskStatus>(sql, 'tasks', owner),
    openQuestion: (flowId) =>
      TASKS.one(sql, "where flow_id = ? and status = 'waiting_answer' order by id limit 1", [flowId]),
    // Both sets come from an index of their own, so that thousands of finished tasks cost nothing.
    projectable: (finished) =>
      TASKS.all(
        sql,
        `where id in (
           select id from tasks where sync_to_claude = 1 and completed_at is null
           union all select id from (
             select id from tasks where sync_to_claude = 1 and completed_at is not null
             order by completed_at desc, id desc limit ?) as newest)
         order by id`,
        [finished],
      ),
    tree: (rootId) => TASKS.all(sql, 'where initiated_task_id = ? order by id', [rootId]),
  };
}

export function listTasks(filter: TaskFilter): Query {
  return page(
    {
      'id = ?': filter.id,
      'status = ?': filter.status,
      'completed_at is null': filter.open,
      'updated_at >= ?': filter.updatedSince,
      'completed_at is not null and completed_at >= ?': filter.endedSince,
      'agent = ?': filter.agent,
      [ownerIs(filter.owner)]: filter.owner,
      'flow_id = ?': filter.flowId,
      'conversation_id = ?': filter.conversationId,
      'delivery_id = ?': filter.deliveryId,
      ...searchTasks(filter),
    },
    filter,
  );
}

/** Without an owner an index alone answers it. */
export function countsByStatus<Status extends string>(
  sql: Sql,
  name: 'tasks' | 'outbox',
  owner: string | undefined,
): Readonly<Partial<Record<Status, number>>> {
  const rows = sql.all<{ status: Status; count: number }>(
    `select status, count(*) as count from ${name} where true ${ownedBy(owner)} group by status`,
    { owner: owner ?? null },
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count])) as Partial<
    Record<Status, number>
  >;
}
