import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { idFloor } from '../../../lib/ids.ts';
import type { Headers } from '../../../types.ts';
import type { BodyFilter, DeliverySelection, PrunableBody, SelectionReader } from '../../selection.ts';
import type { PrunableTree, TreeFilter } from '../../tasks.ts';
import type { ReadBody } from '../log/body-log.ts';
import { sqlBuilder } from './builder.ts';
import type { TaskRow } from './rows.ts';
import { BUDGET_MS } from './runs.ts';

/** Removable bodies, the oldest first. */
export function prunableBodies(filter: BodyFilter, limit: number): CompiledQuery<PrunableBody> {
  return prunable(filter)
    .select(['deliveries.id', 'deliveries.size'])
    .orderBy('body_segment')
    .orderBy('deliveries.id')
    .limit(limit)
    .compile();
}

/** The row that has `rank` newer ones. */
export function deliveryAtRank(rank: number): CompiledQuery<{ received_at: number }> {
  return sqlBuilder
    .selectFrom('deliveries')
    .select('received_at')
    .orderBy('id', 'desc')
    .limit(1)
    .offset(rank)
    .compile();
}

export function countPrunable(filter: BodyFilter): CompiledQuery<{ count: number; bytes: number | null }> {
  return prunable(filter)
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.sum<number | null>('deliveries.size').as('bytes'),
    ])
    .compile();
}

function prunable({ before, samples = false }: BodyFilter) {
  const waiting = sqlBuilder
    .selectFrom('outbox')
    .select('outbox.id')
    .where('outbox.delivery_id', '=', sql<string>`deliveries.id`)
    .where('outbox.status', '=', 'waiting');
  return sqlBuilder
    .selectFrom('deliveries')
    .where('body_segment', 'is not', null)
    .where('deliveries.status', '<>', 'pending')
    .where((eb) =>
      eb.and([
        eb.not(eb.exists(waiting)),
        // Written out: with a parameter the index that holds only samples would not be used.
        ...(samples ? [sql<boolean>`deliveries.sample = 1`] : []),
        ...(before === null
          ? []
          : [eb('deliveries.id', '<', idFloor('dlv', before)), liesBeforeYoung(before)]),
      ]),
    );
}

/**
 * The log keeps the order in which deliveries came, whatever the clock said: a delivery whose record follows a younger
 * one's is no older than that, although it came while the clock was set to 1970.
 */
function liesBeforeYoung(before: number) {
  const young = sqlBuilder
    .selectFrom('deliveries as young')
    .select(['young.body_segment', 'young.body_offset'])
    .where('young.body_segment', 'is not', null)
    .where('young.id', '>=', idFloor('dlv', before))
    .orderBy('young.body_segment')
    .orderBy('young.body_offset')
    .limit(1);
  return sql<boolean>`coalesce((deliveries.body_segment, deliveries.body_offset) < (${young}), true)`;
}

/** Removes bodies, and what was sent or given up for them. One job; a row for each removed body. */
export function removeBodies(ids: readonly string[], at: number): readonly CompiledQuery<{ id: string }>[] {
  const gone = sqlBuilder
    .updateTable('deliveries')
    .set({ body_segment: null, body_offset: null, body_removed_at: at })
    .where('id', 'in', ids)
    .where('status', '<>', 'pending')
    .where('body_segment', 'is not', null)
    .returning('id')
    .compile();
  const sent = sqlBuilder
    .deleteFrom('outbox')
    .where('delivery_id', 'in', ids)
    .where('status', '<>', 'waiting')
    .compile() as CompiledQuery<never>;
  return [gone, sent];
}

/**
 * Removes rows without bodies, the oldest first, and with them their dedupe keys. A duplicate stays as long as the
 * delivery that it repeats. A row for each removed one.
 */
export function forgetDeliveries(before: number, limit: number): CompiledQuery<{ id: string }> {
  const first = sqlBuilder
    .selectFrom('deliveries as first')
    .select('first.id')
    .where('first.id', '=', sql<string>`deliveries.duplicate_of`);
  const old = sqlBuilder
    .selectFrom('deliveries')
    .select('deliveries.id')
    .where('deliveries.id', '<', idFloor('dlv', before))
    .where('deliveries.status', '<>', 'pending')
    .where('deliveries.body_segment', 'is', null)
    .where((eb) => eb.not(eb.exists(first)))
    .orderBy('deliveries.id')
    .limit(limit);
  return sqlBuilder.deleteFrom('deliveries').where('id', 'in', old).returning('id').compile();
}

/**
 * Trees of tasks that are over: a task is removed with all that it initiated, or not at all. A tree is named by its root. In the
 * order of their ids, with why one stays.
 */
export function prunableTrees(filter: TreeFilter, after: string, limit: number): CompiledQuery<PrunableTree> {
  const { before, samples } = filter;
  const count = sql`(select count(*) from tasks as task where task.initiated_task_id = root.id
    and (${flag(samples)} or task.completed_at < ${before}))`;
  return sql<PrunableTree>`
    select root.id, root.flow_id as "flowId", root.delivery_id as "deliveryId",
      ${count} as tasks, ${keptBecause(filter)} as kept
    from tasks as root
    where root.id > ${after} and ${isSelected(filter)}
    order by root.id limit ${limit}`.compile(sqlBuilder);
}

export function tasksOfTree(rootId: string): CompiledQuery<TaskRow> {
  return sqlBuilder
    .selectFrom('tasks')
    .selectAll()
    .where('initiated_task_id', '=', rootId)
    .orderBy('id')
    .compile();
}

/**
 * Removes those of the trees that may go, with their transitions, runs, sent replies, and flows that have no task any more. One
 * job; a row for each task that is gone.
 */
export function pruneTrees(
  trees: readonly Pick<PrunableTree, 'id' | 'flowId' | 'deliveryId'>[],
  filter: TreeFilter,
  at: number,
): readonly CompiledQuery<{ id: string }>[] {
  const budgetedSince = at - BUDGET_MS;
  const roots = inList(trees.map(({ id }) => id));
  const gone = sql`(select task.id from tasks as task where task.initiated_task_id in (
    select root.id from tasks as root
    where root.id in ${roots} and ${isSelected(filter)} and ${keptBecause(filter)} is null))`;
  const flows = inList(trees.map(({ flowId }) => flowId));
  const deliveries = inList(trees.flatMap(({ deliveryId }) => deliveryId ?? []));
  const isEmpty = sql`not exists (select 1 from tasks where tasks.flow_id = flows.id)`;
  return [
    sql`insert into pruned_runs select flow_id, state, cost_usd, reserved_usd, started_at from runs
      where started_at > ${budgetedSince} and task_id in ${gone}`,
    sql`delete from pruned_runs where started_at <= ${budgetedSince}`,
    sql`delete from runs where task_id in ${gone}`,
    sql`delete from task_transitions where task_id in ${gone}`,
    sql`delete from tasks where id in ${gone} returning id`,
    sql`delete from outbox where delivery_id in ${deliveries} and status <> 'waiting'
      and not exists (select 1 from tasks where tasks.delivery_id = outbox.delivery_id)`,
    sql`delete from flow_aliases where flow_id in (select id from flows where id in ${flows} and ${isEmpty})`,
    sql`delete from conversations where flow_id in ${flows}
      and not exists (select 1 from tasks where tasks.conversation_id = conversations.id)
      and not exists (select 1 from flows where flows.id = conversations.flow_id
        and flows.current_conversation_id = conversations.id and not ${isEmpty})`,
    sql`delete from flows where id in ${flows} and ${isEmpty}`,
  ].map((statement) => statement.compile(sqlBuilder) as CompiledQuery<{ id: string }>);
}

/** Of samples: all that were made before; otherwise those of which a task ended before. */
function isSelected({ before, samples }: TreeFilter): RawBuilder<unknown> {
  const ended = sql`exists (select 1 from tasks as task
    where task.initiated_task_id = root.id and task.completed_at < ${before})`;
  // Written out: with a parameter the index that holds only samples would not be used.
  return samples
    ? sql`root.initiated_task_id = root.id and root.sample = 1 and root.created_at < ${before}`
    : sql`root.initiated_task_id = root.id and ${ended}`;
}

/** Why a tree of tasks is still needed; SQL null when it may be removed. */
function keptBecause({ before, samples }: TreeFilter): RawBuilder<unknown> {
  const inTree = sql`select 1 from tasks as task where task.initiated_task_id = root.id`;
  return sql`case
    when exists (${inTree} and task.completed_at is null) then 'open'
    when ${flag(!samples)} and exists (${inTree} and task.completed_at >= ${before}) then 'later'
    when exists (select 1 from tasks as task join runs on runs.task_id = task.id
      where task.initiated_task_id = root.id and runs.state = 'running') then 'running'
    when exists (select 1 from outbox where outbox.delivery_id = root.delivery_id and outbox.status = 'waiting')
      then 'unsent'
    when root.id in (
      select distinct earlier.initiated_task_id
      from tasks as open join json_each(open.depends_on) as dependency
        join tasks as earlier on earlier.id = dependency.value
      where open.completed_at is null and open.depends_on <> '[]') then 'needed'
  end`;
}

function inList(values: readonly string[]): RawBuilder<unknown> {
  return sql`(select value from json_each(${JSON.stringify(values)}))`;
}

function flag(value: boolean): RawBuilder<unknown> {
  return value ? sql`true` : sql`false`;
}

type Rows = <Row>(query: CompiledQuery<Row>) => readonly Row[];

export function selectionReader(rows: Rows, bodyAt: ReadBody): SelectionReader {
  return {
    selected: (selection, limit) =>
      rows(selectDeliveries(selection, limit)).map(({ id, webhook, query, headers, trust, ...place }) => ({
        id,
        webhook,
        query,
        trust: trust ?? 'operator',
        headers: JSON.parse(headers) as Headers,
        body: () => bodyAt({ id, ...place }),
      })),
    countSelected: (selection) => rows(countDeliveries(selection))[0]?.count ?? 0,
  };
}

function selectDeliveries(selection: DeliverySelection, limit: number) {
  return chosen(selection)
    .select(['id', 'webhook', 'trust', 'headers', 'query', 'size', 'body_segment', 'body_offset'])
    .orderBy('id')
    .limit(limit)
    .compile();
}

function countDeliveries(selection: DeliverySelection) {
  return chosen(selection)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .compile();
}

function chosen({ statuses, webhook, since, until, after }: DeliverySelection) {
  return sqlBuilder
    .selectFrom('deliveries')
    .where('status', 'in', statuses)
    .where('replay_of', 'is', null)
    .where('received_at', '<=', until)
    .where((eb) =>
      eb.and([
        ...(webhook === undefined ? [] : [eb('webhook', '=', webhook)]),
        ...(since === undefined ? [] : [eb('received_at', '>=', since)]),
        ...(after === undefined ? [] : [eb('id', '>', after)]),
      ]),
    );
}
