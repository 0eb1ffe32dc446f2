import { TRUSTS } from '../../../types/delivery.ts';
import type { NewTask, Task, TaskEvent, TaskStatus, TaskUsage, Transition, Trust } from '../../../types.ts';
import type { FlowThread } from '../../store.ts';
import type { SyncNote, TaskChange, TaskCreation, TaskNote, TaskWriter } from '../../tasks.ts';
import { type Sql, whole } from '../sql.ts';
import { FLOWS } from '../tables/flows.ts';
import { TASKS } from '../tables/tasks.ts';
import { openFlow } from './flows.ts';
import { insertReply } from './outbox.ts';

/** Null when `mostBelow` tasks are open already. */
export function createTask(sql: Sql, creation: TaskCreation): Task | null {
  const {
    task,
    parent,
    owner,
    flowId,
    externalId,
    source,
    actor,
    dependsOn,
    mostBelow = null,
    at,
  } = creation;
  const initiatorId = parent?.initiatedTaskId ?? task.id;
  if (mostBelow !== null && parent !== null && openBelow(sql, initiatorId) >= mostBelow) return null;
  openFlow(sql, creation);
  return insertTask(sql, {
    ...{ task, flowId, externalId, initiatorId, dependsOn, source, actor, at },
    ...{ command: null, deliveryId: null, owner, webhook: null },
    parentId: parent?.id ?? null,
    conversationId: creation.startNewConversation ? null : (parent?.conversationId ?? null),
    // Without a parent a person on this machine typed it.
    trust: parent?.trust ?? 'operator',
    isSample: parent?.isSample ?? false,
  });
}

/** Of one that was resumed or whose due time was handled. */
export function noteSchedule(
  sql: Sql,
  { name, lastDue, paused }: Parameters<TaskWriter['noteSchedule']>[0],
): void {
  sql.run(
    `insert into schedules (name, last_due, paused) values (:name, :lastDue, :paused)
     on conflict (name) do update set last_due = excluded.last_due, paused = excluded.paused`,
    { name, lastDue, paused },
  );
}

function openBelow(sql: Sql, initiatorId: string): number {
  return sql.count(
    `select count(*) from tasks
     where initiated_task_id = ? and parent_task_id is not null and completed_at is null`,
    [initiatorId],
  );
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
  readonly owner: string;
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
  const { task, flowId, externalId, conversationId, initiatorId, parentId, actor, at, ...same } = insertion;
  const { typed, ...given } = task;
  const stored = TASKS.get(sql, task.id);
  if (stored !== null) return stored;
  const flow = FLOWS.get(sql, flowId);
  if (flow === null) throw new Error(`${flowId}, the flow of ${task.id}, does not exist`);
  const made: Task = {
    ...{ ...given, ...same, flowId, parentTaskId: parentId, initiatedTaskId: initiatorId },
    externalId: externalId ?? flow.externalId,
    conversationId: conversationId ?? flow.currentConversationId,
    ...{ createdAt: at, updatedAt: at, startedAt: null, completedAt: null },
    ...{ result: null, error: null, unsynced: null },
    usage: { costUsd: null, inputTokens: null, outputTokens: null, durationMs: null },
  };
  TASKS.insert(sql, made);
  record(sql, { taskId: made.id, event: 'create', from: null, to: made.status, actor, reason: null, at });
  return made;
}

/** Moves a task on and records it. The task as it is then; null when it had left `from`, and nothing changed. */
export function applyChange(sql: Sql, change: TaskChange): Task | null {
  const { from, to, at, isEnd, result, error, reply, prompt } = change;
  const task = taskIn(sql, change.taskId, from);
  if (task === null) return null;
  record(sql, change);
  if (reply !== null) insertReply(sql, reply, at);
  const usage = plus(task.usage, change.spent);
  const ranMs =
    from === 'running' ? (usage.durationMs ?? 0) + Math.max(0, at - (task.startedAt ?? at)) : null;
  return update(sql, task, {
    ...{ status: to, result, error, updatedAt: at, completedAt: isEnd ? at : null },
    ...(!isEnd && { startedAt: to === 'running' ? at : null }),
    usage: { ...usage, durationMs: ranMs ?? usage.durationMs },
    ...(prompt !== undefined && { prompt: task.prompt + prompt }),
    ...(reply?.becomesTaskComment === true && {
      sourceMetadata: { ...task.sourceMetadata, comment_outgoing_id: reply.item.id },
    }),
  });
}

/** Adds what a run took to a task that moved on before the run ended, and its result where it has none. */
export function addUsage(
  sql: Sql,
  { taskId, from, result, spent, at }: Pick<TaskChange, 'taskId' | 'from' | 'result' | 'spent' | 'at'>,
): Task | null {
  const task = taskIn(sql, taskId, from);
  if (task === null) return null;
  return update(sql, task, {
    usage: plus(task.usage, spent),
    result: task.result ?? result,
    updatedAt: at,
  });
}

type DeliveryStep = Pick<TaskChange, 'taskId' | 'actor' | 'at'>;

/** Queues a task that waits for an answer. The prompt holds the words of both from then on, and so the lower trust. */
export function answerTask(
  sql: Sql,
  { prompt, trust, ...step }: DeliveryStep & { readonly prompt: string; readonly trust: Trust },
): Task | null {
  const task = taskIn(sql, step.taskId, 'waiting_answer');
  if (task === null) return null;
  const lower = TRUSTS.find((each) => each === trust || each === task.trust) ?? 'unverified';
  return queue(sql, task, 'answer', step, { prompt: task.prompt + prompt, trust: lower });
}

/** Queues a task that waits for approval. */
export function approveTask(sql: Sql, step: DeliveryStep): Task | null {
  const task = taskIn(sql, step.taskId, 'waiting_approval');
  return task === null ? null : queue(sql, task, 'approve', step, {});
}

function queue(sql: Sql, task: Task, event: TaskEvent, step: DeliveryStep, more: Partial<Task>): Task {
  record(sql, { ...step, event, from: task.status, to: 'queued', reason: null });
  return update(sql, task, { ...more, status: 'queued', updatedAt: step.at });
}

/** Records an event that changes nothing. False when it is the last recorded one of the task, or there is no task. */
export function noteTask(sql: Sql, { taskId, event, actor, reason, at }: TaskNote): boolean {
  const status = TASKS.get(sql, taskId)?.status;
  if (status === undefined) return false;
  const last = sql.one(
    `select 1 from (select * from task_transitions where task_id = :taskId order by id desc limit 1) as last
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
      known,
      taskId,
    ]);
  }
}

/**
 * Lets the tasks of a flow post where its subject is now. A subject that got another number was copied: its comments have
 * other ids, so that the next post is a new one.
 */
export function movePosts(sql: Sql, { flowIds, externalIds, place }: FlowThread): void {
  sql.run(
    `update tasks set source_metadata = json_patch(
       case when json_extract(source_metadata, '$.reply.place.number') <> :number
         then json_remove(source_metadata, '$.comment_outgoing_id') else source_metadata end, :patch)
     where flow_id in (select value from json_each(:flowIds))
       and external_id in (select value from json_each(:externalIds))
       and json_type(source_metadata, '$.reply.place') = 'object'
       and json_patch(source_metadata, :patch) <> source_metadata`,
    { flowIds, externalIds, number: place.number ?? null, patch: { reply: { place } } },
  );
}

function taskIn(sql: Sql, taskId: string, status: TaskStatus): Task | null {
  const task = TASKS.get(sql, taskId);
  return task?.status === status ? task : null;
}

function record(sql: Sql, { taskId, event, from, to, actor, reason, at }: Transition & { taskId: string }) {
  sql.run(
    `insert into task_transitions (task_id, event, from_status, to_status, actor, reason, at)
     values (?, ?, ?, ?, ?, ?, ?)`,
    [taskId, event, from, to, actor, reason, at],
  );
}

/** The task with these fields changed. */
function update(sql: Sql, task: Task, changed: Partial<Task>): Task {
  TASKS.update(sql, task.id, changed);
  return { ...task, ...changed };
}

/** A task's usage with that of one more run; null adds nothing. */
function plus(usage: TaskUsage, spent: TaskChange['spent']): TaskUsage {
  const sum = (stored: number | null, more: number | null) => (more === null ? stored : (stored ?? 0) + more);
  return {
    ...usage,
    costUsd: sum(usage.costUsd, spent.costUsd),
    inputTokens: sum(usage.inputTokens, whole(spent.inputTokens)),
    outputTokens: sum(usage.outputTokens, whole(spent.outputTokens)),
  };
}
