import { type CompiledQuery, sql } from 'kysely';
import type { DeliveryFilter, SettledFilter } from '../../store.ts';
import type { SyncNote, TaskFilter } from '../../tasks.ts';
import type { BodyLocation } from '../log/body-log.ts';
import { compileOnce, sqlBuilder } from './builder.ts';
import { type DeliveryRow, type TaskRow } from './rows.ts';

const PAGE_SIZE = 50;

interface ById {
  readonly id: string;
}

export const deliveryById = compileOnce(
  ({ id }: ById): CompiledQuery<DeliveryRow> =>
    sqlBuilder.selectFrom('deliveries').selectAll().where('id', '=', id).compile(),
);

export const bodyPlace = compileOnce(
  ({ id }: ById): CompiledQuery<BodyLocation> =>
    sqlBuilder
      .selectFrom('deliveries')
      .select(['id', 'size', 'body_segment', 'body_offset'])
      .where('id', '=', id)
      .compile(),
);

export function listDeliveries(filter: DeliveryFilter): CompiledQuery<DeliveryRow> {
  const { status, webhook, after, before, limit = PAGE_SIZE } = filter;
  return sqlBuilder
    .selectFrom('deliveries')
    .selectAll()
    .where((eb) =>
      eb.and([
        ...(status === undefined ? [] : [eb('status', '=', status)]),
        ...(webhook === undefined ? [] : [eb('webhook', '=', webhook)]),
        ...(after === undefined ? [] : [eb('id', '>', after)]),
        ...(before === undefined ? [] : [eb('id', '<', before)]),
      ]),
    )
    .orderBy('id', after === undefined ? 'desc' : 'asc')
    .limit(limit)
    .compile();
}

export function pendingDeliveries(after: string | null, limit: number) {
  return sqlBuilder
    .selectFrom('deliveries')
    .select(['id', 'external_id', 'attempts', 'next_attempt_at'])
    .where('status', '=', 'pending')
    .where('id', '>', after ?? '')
    .orderBy('id')
    .limit(limit)
    .compile();
}

/** One row per webhook and status, with the newest delivery of both. Answered from an index alone. */
export function countDeliveries(webhooks?: readonly string[]) {
  const deliveries = sqlBuilder.selectFrom('deliveries');
  const counted =
    webhooks === undefined
      ? deliveries
      : deliveries.where(sql<boolean>`webhook in (select value from json_each(${JSON.stringify(webhooks)}))`);
  return counted
    .select((eb) => [
      'webhook',
      'status',
      eb.fn.countAll<number>().as('count'),
      eb.fn.max('id').as('last_id'),
      eb.fn.max('received_at').as('last_received_at'),
    ])
    .groupBy(['webhook', 'status'])
    .orderBy('webhook')
    .compile();
}

export const taskById = compileOnce(
  ({ id }: ById): CompiledQuery<TaskRow> =>
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

/** The delivery that acted and holds a key that counts for all webhooks. */
export const holderOf = compileOnce(
  ({ key }: { readonly key: string }): CompiledQuery<{ delivery_id: string }> =>
    sqlBuilder
      .selectFrom('dedupe_keys')
      .select('delivery_id')
      .where('webhook', '=', '@')
      .where('key', '=', key)
      .where('acted', '=', 1)
      .compile(),
);

/** Deliveries of one thread that were settled as the filter says. Replays and texts that a person wrote do not count. */
export function countSettled(externalId: string, { status, since, reason = '' }: SettledFilter) {
  return sqlBuilder
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('external_id', '=', externalId)
    .where('settled_at', '>', since)
    .where('status', '=', status)
    .where('reason', 'like', `${reason}%`)
    .where('replay_of', 'is', null)
    .where('by_person', 'is not', 1)
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

/** Merges where a task stands into its metadata; a field that the note leaves null stays as it is. */
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
