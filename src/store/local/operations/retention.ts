import { idFloor } from '../../../lib/ids.ts';
import type { OwnerSelection } from '../../selection.ts';
import type { PrunableTree, TreeFilter } from '../../tasks.ts';
import { SCHEMA_VERSION } from '../schema/versions.ts';
import { type Sql, where } from '../sql.ts';
import { isSelected, keptBecause, ownersAre } from '../tables/retention.ts';

/** How long the cost of runs is kept whose tasks are gone: a year and a month. */
const SPEND_KEPT_MS = 396 * 24 * 3_600_000;

/** Removes bodies, and what was sent or given up for them. */
export function removeBodies(sql: Sql, ids: readonly string[], at: number): number {
  sql.run(
    "delete from outbox where delivery_id in (select value from json_each(?)) and status <> 'waiting'",
    [ids],
  );
  return sql.run(
    `update deliveries set body_segment = null, body_offset = null, body_removed_at = :at
     where id in (select value from json_each(:ids)) and status <> 'pending' and body_segment is not null`,
    { ids, at },
  );
}

/** Removes rows without bodies, the oldest first. A duplicate stays as long as the delivery that it repeats. */
export function forgetDeliveries(sql: Sql, before: number, limit: number, of: OwnerSelection = {}): number {
  const { text, values } = where(ownersAre(of));
  const whose = text.replace(/^where/, 'and');
  return sql.run(
    `delete from deliveries where id in (
       select id from deliveries
       where id < ? and status <> 'pending' and body_segment is null
         and not exists (select 1 from deliveries as first where first.id = deliveries.duplicate_of) ${whose}
       order by id limit ?)`,
    [idFloor('dlv', before), ...values, limit],
  );
}

/** Removes tasks with their transitions, runs, sent replies, and flows that have no task any more. */
export function pruneTrees(
  sql: Sql,
  trees: readonly PrunableTree[],
  filter: TreeFilter,
  at: number,
): readonly string[] {
  const gone = sql.column(
    `select task.id from tasks as root join tasks as task on task.initiated_task_id = root.id
     where root.id in (select value from json_each(:roots)) and ${isSelected(filter)}
       and ${keptBecause(filter)} is null`,
    { roots: trees.map(({ id }) => id), before: filter.before },
  );
  removeTasks(sql, gone, at - SPEND_KEPT_MS);
  sql.run('delete from outbox where delivery_id is null and buttons_of in (select value from json_each(?))', [
    gone,
  ]);
  sql.run(
    `delete from outbox where delivery_id in (select value from json_each(?)) and status <> 'waiting'
       and not exists (select 1 from tasks where tasks.delivery_id = outbox.delivery_id)`,
    [trees.flatMap(({ deliveryId }) => deliveryId ?? [])],
  );
  removeFlows(
    sql,
    trees.map(({ flowId }) => flowId),
  );
  return gone;
}

const PRUNED = `flow_id, agent, webhook, person, owner, state, cost_usd, reserved_usd, input_tokens, output_tokens, started_at`;

/** Budgets and `hookctl spend` go on counting their runs. */
function removeTasks(sql: Sql, tasks: readonly string[], countedSince: number): void {
  const listed = 'in (select value from json_each(:tasks))';
  sql.run('delete from pruned_runs where started_at <= ?', [countedSince]);
  sql.run(
    `insert into pruned_runs (${PRUNED}) select ${PRUNED} from runs
     where started_at > :countedSince and task_id ${listed}`,
    { tasks, countedSince },
  );
  sql.run(`delete from runs where task_id ${listed}`, { tasks });
  sql.run(`delete from task_transitions where task_id ${listed}`, { tasks });
  sql.run(`delete from tasks where id ${listed}`, { tasks });
}

/** Removes those of the flows that have no task, and of the others the conversations that are over and have none. */
function removeFlows(sql: Sql, flows: readonly string[]): void {
  const empty = sql.column(
    `select id from flows where id in (select value from json_each(?))
       and not exists (select 1 from tasks where tasks.flow_id = flows.id)
       and not exists (select 1 from flow_links where flows.id in (flow_id, into_flow_id))`,
    [flows],
  );
  const values = { flows, empty };
  const isEmpty = 'in (select value from json_each(:empty))';
  sql.run(`delete from flow_aliases where flow_id ${isEmpty}`, values);
  sql.run(
    `delete from conversations where flow_id in (select value from json_each(:flows))
       and not exists (select 1 from tasks where tasks.conversation_id = conversations.id)
       and (flow_id ${isEmpty} or id <> (select current_conversation_id from flows where flows.id = flow_id))`,
    values,
  );
  sql.run(`delete from flows where id ${isEmpty}`, values);
}

/** Writes the version that the db has already: a page goes the whole way to the disk, and nothing changes. */
export function probe(sql: Sql): void {
  sql.run(`pragma user_version = ${SCHEMA_VERSION}`);
}
