import type { NewTask, Task, TaskEvent, TaskStatus, Transition, Trust } from '../../../types.ts';
import type { FlowThread } from '../../store.ts';
import type { SyncNote, TaskChange, TaskCreation, TaskNote } from '../../tasks.ts';
import { type Sql, whole } from '../sql.ts';
import { flowRow } from '../tables/flows.ts';
import { type TaskRow, taskRow, toTask, type UsageColumns } from '../tables/tasks.ts';
import { openFlow } from './flows.ts';
import { insertReply } from './outbox.ts';

/** Null when `mostBelow` tasks are open already. */
export function createTask(sql: Sql, creation: TaskCreation): Task | null {
  const { task, parent, flowId, source, actor, dependsOn, mostBelow = null, at } = creation;
  const initiatorId = parent?.initiatedTaskId ?? task.id;
  if (mostBelow !== null && parent !== null && openBelow(sql, initiatorId) >= mostBelow) return null;
  openFlow(sql, creation);
  return insertTask(sql, {
    ...{ task, flowId, initiatorId, dependsOn, source, actor, at },
    ...{ externalId: null, command: null, deliveryId: null, webhook: null },
    parentId: parent?.id ?? null,
    conversationId: creation.startNewConversation ? null : (parent?.conversationId ?? null),
    // Without a parent a person on this machine typed it.
    trust: parent?.trust ?? 'operator',
    isSample: parent?.isSample ?? false,
  });
}

function openBelow(sql: Sql, initiatorId: string): number {
  const row = sql.one<{ count: number }>(
    `select count(*) as count from tasks
     where initiated_task_id = ? and parent_task_id is not null and completed_at is null`,
    [initiatorId],
  );
  return row?.count ?? 0;
}

/** A task of a flow that exists. */
interface TaskInsertion {
  readonly task: NewTask;
  readonly flowId: string;
  /** Null for the flow's. */
  readonly externalId: string | null;
  /** Null for the flow's current one. */
  readonly conversationId: string | null;
  readonly command: string | null;
  readonly deliveryId: string | null;
  readonly webhook: string | null;
  readonly source: string;
  readonly trust: Trust;
  readonly isSample: boolean;
  readonly initiatorId: string;
  readonly parentId: string | null;
  readonly dependsOn: readonly string[];
  readonly actor: string;
  readonly at: number;
}

/**
 * The task as stored. When one of this id exists, that one, and nothing changes: ids come from the delivery, whose
 * dispatch can be repeated.
 */
export function insertTask(sql: Sql, insertion: TaskInsertion): Task {
  const { task, flowId, externalId, conversationId, source, trust, webhook, command, actor, at } = insertion;
  const { id, title, status, agent, prompt, url } = task;
  const stored = taskRow(sql, id);
  if (stored !== null) return toTask(stored);
  const flow = flowRow(sql, flowId);
  if (flow === null) throw new Error(`${flowId}, the flow of ${id}, does not exist`);
  const row: TaskRow = {
    ...{ id, title, status, agent, prompt, url, source, trust, webhook, command },
    flow_id: flowId,
    external_id: externalId ?? flow.external_id,
    conversation_id: conversationId ?? flow.current_conversation_id,
    parent_task_id: insertion.parentId,
    initiated_task_id: insertion.initiatorId,
    depends_on: JSON.stringify(insertion.dependsOn),
    delivery_id: insertion.deliveryId,
    source_metadata: JSON.stringify(task.sourceMetadata),
    sync_to_claude: task.syncToClaudeTasks ? 1 : 0,
    sample: insertion.isSample ? 1 : 0,
    ...{ created_at: at, updated_at: at, started_at: null, completed_at: null },
    ...{ result: null, error: null, unsynced: null },
    ...{ cost_usd: null, input_tokens: null, output_tokens: null, duration_ms: null },
  };
  // By position, and not read back: with names and `returning *` it takes four times as long.
  const columns = Object.keys(row);
  const values = Object.values<string | number | null>({ ...row });
  sql.run(`insert into tasks (${columns.join()}) values (${columns.map(() => '?').join()})`, values);
  record(sql, { taskId: id, event: 'create', from: null, to: status, actor, reason: null, at });
  return toTask(row);
}

/** Moves a task on and records it. The task as it is then; null when it had left `from`, and nothing changed. */
export function applyChange(sql: Sql, change: TaskChange): Task | null {
  const { from, to, at, isEnd, result, error, reply } = change;
  const row = rowIn(sql, change.taskId, from);
  if (row === null) return null;
  record(sql, change);
  if (reply !== null) insertReply(sql, reply, at);
  return update(sql, row, {
    ...plus(row, change.spent),
    ...{ status: to, result, error, updated_at: at, completed_at: isEnd ? at : null },
    ...(!isEnd && { started_at: to === 'running' ? at : null }),
    ...(from === 'running' && {
      duration_ms: (row.duration_ms ?? 0) + Math.max(0, at - (row.started_at ?? at)),
    }),
    ...(reply?.becomesTaskComment === true && {
      source_metadata: JSON.stringify({
        ...JSON.parse(row.source_metadata),
        comment_outgoing_id: reply.item.id,
      }),
    }),
  });
}

/** Adds what a run took to a task that moved on before the run ended, and its result where it has none. */
export function addUsage(
  sql: Sql,
  { taskId, from, result, spent, at }: Pick<TaskChange, 'taskId' | 'from' | 'result' | 'spent' | 'at'>,
): Task | null {
  const row = rowIn(sql, taskId, from);
  if (row === null) return null;
  return update(sql, row, { ...plus(row, spent), result: row.result ?? result, updated_at: at });
}

type DeliveryStep = Pick<TaskChange, 'taskId' | 'actor' | 'at'>;

/** Queues a task that waits for an answer. The prompt holds the words of both from then on, and so the lower trust. */
export function answerTask(
  sql: Sql,
  { prompt, trust, ...step }: DeliveryStep & { readonly prompt: string; readonly trust: Trust },
): Task | null {
  const row = rowIn(sql, step.taskId, 'waiting_answer');
  if (row === null) return null;
  const lower = BY_TRUST.find((each) => each === trust || each === row.trust) ?? 'unverified';
  return queue(sql, row, 'answer', step, { prompt: row.prompt + prompt, trust: lower });
}

const BY_TRUST: readonly Trust[] = ['unverified', 'verified', 'operator'];

/** Queues a task that waits for approval. */
export function approveTask(sql: Sql, step: DeliveryStep): Task | null {
  const row = rowIn(sql, step.taskId, 'waiting_approval');
  return row === null ? null : queue(sql, row, 'approve', step, {});
}

function queue(sql: Sql, row: TaskRow, event: TaskEvent, step: DeliveryStep, more: Partial<TaskRow>): Task {
  record(sql, { ...step, event, from: row.status, to: 'queued', reason: null });
  return update(sql, row, { ...more, status: 'queued', updated_at: step.at });
}

/** Records an event that changes nothing. False when it is the last recorded one of the task, or there is no task. */
export function noteTask(sql: Sql, { taskId, event, actor, reason, at }: TaskNote): boolean {
  const status = taskRow(sql, taskId)?.status;
  if (status === undefined) return false;
  const last = sql.one(
    `select 1 from (select * from task_transitions where task_id = :taskId order by id desc limit 1)
     where event = :event and from_status = :status and to_status = :status and actor = :actor
       and reason is :reason`,
    { taskId, event, status, actor, reason },
  );
  if (last !== null) return false;
  record(sql, { taskId, event, from: status, to: status, actor, reason, at });
  return true;
}

/** Merges the location of a task's files into its metadata; a null field leaves the stored value. */
export function noteSync(sql: Sql, notes: readonly SyncNote[]): void {
  for (const { taskId, claudeTaskId, claudeList, unsynced } of notes) {
    const known = {
      ...(claudeTaskId === null ? {} : { claude_task_id: claudeTaskId }),
      ...(claudeList === null ? {} : { claude_list: claudeList }),
    };
    sql.run('update tasks set unsynced = ?, source_metadata = json_patch(source_metadata, ?) where id = ?', [
      unsynced,
      JSON.stringify(known),
      taskId,
    ]);
  }
}

/**
 * Lets the tasks of a flow post where its subject is now. A subject that got another number was copied: its comments have
 * other ids, so that the next post is a new one.
 */
export function movePosts(sql: Sql, { flowId, place }: FlowThread): void {
  sql.run(
    `update tasks set source_metadata = json_patch(
       case when json_extract(source_metadata, '$.reply.place.number') <> :number
         then json_remove(source_metadata, '$.comment_outgoing_id') else source_metadata end, :patch)
     where flow_id = :flowId and json_type(source_metadata, '$.reply.place') = 'object'
       and json_patch(source_metadata, :patch) <> source_metadata`,
    { flowId, number: place.number ?? null, patch: JSON.stringify({ reply: { place } }) },
  );
}

function rowIn(sql: Sql, taskId: string, status: TaskStatus): TaskRow | null {
  const row = taskRow(sql, taskId);
  return row?.status === status ? row : null;
}

function record(sql: Sql, { taskId, event, from, to, actor, reason, at }: Transition & { taskId: string }) {
  sql.run(
    `insert into task_transitions (task_id, event, from_status, to_status, actor, reason, at)
     values (?, ?, ?, ?, ?, ?, ?)`,
    [taskId, event, from, to, actor, reason, at],
  );
}

/** The task with these columns changed. */
function update(sql: Sql, row: TaskRow, changed: Partial<TaskRow>): Task {
  const columns = Object.keys(changed).map((column) => `${column} = ?`);
  const values = Object.values<string | number | null>({ ...changed });
  sql.run(`update tasks set ${columns.join()} where id = ?`, [...values, row.id]);
  return toTask({ ...row, ...changed });
}

/** A task's usage with that of one more run; null adds nothing. */
function plus(row: UsageColumns, spent: TaskChange['spent']): Partial<UsageColumns> {
  const sum = (stored: number | null, more: number | null) => (more === null ? stored : (stored ?? 0) + more);
  return {
    cost_usd: sum(row.cost_usd, spent.costUsd),
    input_tokens: sum(row.input_tokens, whole(spent.inputTokens)),
    output_tokens: sum(row.output_tokens, whole(spent.outputTokens)),
  };
}
