import type { Task, TaskStatus, TaskUsage, Transition, Trust } from '../../../types.ts';
import type { TaskFilter, TaskReader } from '../../tasks.ts';
import { PAGE_SIZE, type Query, type Sql, where } from '../sql.ts';

/** A row of `tasks`. Times are epoch milliseconds, booleans 0 or 1. */
export interface TaskRow extends UsageColumns {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly agent: string;
  readonly prompt: string;
  readonly flow_id: string;
  readonly conversation_id: string;
  readonly parent_task_id: string | null;
  readonly initiated_task_id: string;
  readonly delivery_id: string | null;
  readonly webhook: string | null;
  readonly command: string | null;
  readonly external_id: string;
  readonly url: string | null;
  readonly result: string | null;
  readonly error: string | null;
  readonly source_metadata: string;
  /** 1: its files belong into Claude's directory. */
  readonly sync_to_claude: number;
  readonly unsynced: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly completed_at: number | null;
  readonly source: string;
  /** JSON list of task ids. */
  readonly depends_on: string;
  readonly started_at: number | null;
  readonly trust: Trust;
  /** 1: a delivery that `hookctl trigger` made is where it came from. */
  readonly sample: number;
}

/** What runs took: of one task, or summed. */
export interface UsageColumns {
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly duration_ms: number | null;
}

/** A row of `task_transitions`. */
export interface TransitionRow {
  /** Given by SQLite, in the order of recording. */
  readonly id: number;
  readonly task_id: string;
  readonly event: Transition['event'];
  readonly from_status: TaskStatus | null;
  readonly to_status: TaskStatus;
  readonly actor: string;
  readonly reason: string | null;
  readonly at: number;
}

export function readTasks(sql: Sql): Omit<TaskReader, 'flows' | 'conversations' | 'prunableTrees' | 'tree'> {
  return {
    task(id) {
      const row = taskRow(sql, id);
      return row === null ? null : toTask(row);
    },
    tasks(filter = {}) {
      const { text, values } = listTasks(filter);
      return sql.all<TaskRow>(text, values).map(toTask);
    },
    transitions: (taskId) =>
      sql
        .all<TransitionRow>('select * from task_transitions where task_id = ? order by id', [taskId])
        .map(toTransition),
    dependents: (taskId) =>
      sql
        .all<TaskRow>(
          `select * from tasks where completed_at is null and depends_on <> '[]'
             and exists (select 1 from json_each(tasks.depends_on) where value = ?)`,
          [taskId],
        )
        .map(toTask),
    agentNames: () =>
      sql.all<{ agent: string }>('select distinct agent from tasks order by agent').map(({ agent }) => agent),
    countsByTaskStatus() {
      const rows = sql.all<{ status: TaskStatus; count: number }>(
        'select status, count(*) as count from tasks group by status',
      );
      return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
    },
    openQuestion(flowId) {
      const row = sql.one<TaskRow>(
        "select * from tasks where flow_id = ? and status = 'waiting_answer' order by id limit 1",
        [flowId],
      );
      return row === null ? null : toTask(row);
    },
    // Both sets come from an index of their own, so that thousands of finished tasks cost nothing.
    projectable: (finished) =>
      sql
        .all<TaskRow>(
          `select * from tasks where id in (
             select id from tasks where sync_to_claude = 1 and completed_at is null
             union all select id from (
               select id from tasks where sync_to_claude = 1 and completed_at is not null
               order by completed_at desc, id desc limit ?))
           order by id`,
          [finished],
        )
        .map(toTask),
  };
}

export function listTasks(filter: TaskFilter): Query {
  const { after, before, limit = PAGE_SIZE } = filter;
  const { text, values } = where({
    'status = ?': filter.status,
    'completed_at is null': filter.open,
    'agent = ?': filter.agent,
    'flow_id = ?': filter.flowId,
    'conversation_id = ?': filter.conversationId,
    'delivery_id = ?': filter.deliveryId,
    'id > ?': after,
    'id < ?': before,
  });
  const order = after === undefined ? 'desc' : 'asc';
  return { text: `select * from tasks ${text} order by id ${order} limit ?`, values: [...values, limit] };
}

export function taskRow(sql: Sql, id: string): TaskRow | null {
  return sql.one<TaskRow>('select * from tasks where id = ?', [id]);
}

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

export function toUsage(row: UsageColumns): TaskUsage {
  return {
    costUsd: row.cost_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    durationMs: row.duration_ms,
  };
}

function toTransition(row: TransitionRow): Transition {
  return {
    event: row.event,
    from: row.from_status,
    to: row.to_status,
    actor: row.actor,
    reason: row.reason,
    at: row.at,
  };
}
