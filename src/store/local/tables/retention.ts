import { idFloor } from '../../../lib/ids.ts';
import type { Trust } from '../../../types.ts';
import type {
  BodyFilter,
  DeliverySelection,
  OwnerSelection,
  PrunableBody,
  SelectionReader,
} from '../../selection.ts';
import type { StoreReader } from '../../store.ts';
import type { PrunableTree, TreeFilter } from '../../tasks.ts';
import type { BodyLocation, ReadBody } from '../log/body-reader.ts';
import { type Query, type Sql, where } from '../sql.ts';
import { ownerIs } from './search.ts';

type RetentionReader = Pick<StoreReader, 'prunable' | 'countPrunable' | 'receivedAtRank' | 'prunableTrees'>;

export function readRetention(sql: Sql): RetentionReader {
  return {
    prunable(filter, limit) {
      const { text, values } = prunable(filter);
      return sql.all<PrunableBody>(
        `select id, size from deliveries ${text} order by body_segment, id limit ?`,
        [...values, limit],
      );
    },
    countPrunable(filter) {
      const { text, values } = prunable(filter);
      const counted = sql.one<{ count: number; bytes: number }>(
        `select count(*) as count, coalesce(sum(size), 0) as bytes from deliveries ${text}`,
        values,
      );
      return counted ?? { count: 0, bytes: 0 };
    },
    receivedAtRank: (rank) =>
      sql.value<number>('select received_at from deliveries order by id desc limit 1 offset ?', [rank]),
    // Trees of tasks that are over: a task is removed with all that it initiated, or not at all.
    prunableTrees: (filter, after, limit) =>
      sql.all<PrunableTree>(
        `select root.id, root.flow_id as "flowId", root.delivery_id as "deliveryId",
           (select count(*) from tasks as task where task.initiated_task_id = root.id
              and (${filter.samples} or task.completed_at < :before)) as tasks,
           ${keptBecause(filter)} as kept
         from tasks as root
         where root.id > :after and ${isSelected(filter)} order by root.id limit :limit`,
        { before: filter.before, after, limit },
      ),
  };
}

const YOUNG = `select young.body_segment, young.body_offset
  from deliveries as young indexed by deliveries_by_segment
  where young.body_segment is not null and young.id >= ?
  order by young.body_segment, young.body_offset limit 1`;

/** Conditions on rows of deliveries. */
export function ownersAre({ owner, exceptOwners }: OwnerSelection) {
  return {
    [ownerIs(owner)]: owner,
    'owner not in (select value from json_each(?))':
      exceptOwners === undefined ? undefined : JSON.stringify(exceptOwners),
  };
}

function prunable({ before, samples = false, ...of }: BodyFilter): Query {
  const young = before === null ? undefined : idFloor('dlv', before);
  return where({
    'body_segment is not null': true,
    "status <> 'pending'": true,
    "not exists (select 1 from outbox where delivery_id = deliveries.id and outbox.status = 'waiting')": true,
    // Written out: with a parameter the index that holds only samples would not be used.
    'sample = 1': samples ? true : undefined,
    'id < ?': young,
    ...ownersAre(of),
    // The log keeps the order in which deliveries came, whatever the clock said: a delivery whose record follows a
    // younger one's is no older than that, although it came while the clock was set to 1970.
    [`coalesce((body_segment, body_offset) < (${YOUNG}), true)`]: young,
  });
}

/** Of samples: all that were made before `:before`; otherwise those of which a task ended before. */
export function isSelected({ samples }: TreeFilter): string {
  // Written out: with a parameter the index that holds only samples would not be used.
  return samples
    ? 'root.initiated_task_id = root.id and root.sample = 1 and root.created_at < :before'
    : `root.initiated_task_id = root.id and exists (select 1 from tasks as task
        where task.initiated_task_id = root.id and task.completed_at < :before)`;
}

/** Why a tree of tasks is still needed; SQL null when it may be removed. */
export function keptBecause({ samples }: TreeFilter): string {
  const inTree = 'select 1 from tasks as task where task.initiated_task_id = root.id';
  return `case
    when exists (${inTree} and task.completed_at is null) then 'open'
    when ${!samples} and exists (${inTree} and task.completed_at >= :before) then 'later'
    when exists (select 1 from tasks as task join runs on runs.task_id = task.id
      where task.initiated_task_id = root.id and runs.state = 'running') then 'running'
    when exists (select 1 from outbox
      where outbox.delivery_id = root.delivery_id and outbox.status = 'waiting') then 'unsent'
    when root.id in (
      select distinct earlier.initiated_task_id
      from tasks as open join json_each(open.depends_on) as dependency on true
        join tasks as earlier on earlier.id = dependency.value
      where open.completed_at is null and open.depends_on <> '[]') then 'needed'
  end`;
}

export function readSelection(sql: Sql, bodyAt: ReadBody): SelectionReader {
  return {
    selected(selection, limit) {
      const { text, values } = chosen(selection);
      const rows = sql.all<SelectedRow>(
        `select id, webhook, trust, headers, query, size, body_segment, body_offset
         from deliveries ${text} order by id limit ?`,
        [...values, limit],
      );
      return rows.map(({ id, webhook, query, headers, trust, ...place }) => ({
        ...{ id, webhook, query },
        trust: trust ?? 'operator',
        headers: JSON.parse(headers),
        body: () => bodyAt({ id, ...place }),
      }));
    },
    countSelected(selection) {
      const { text, values } = chosen(selection);
      return sql.count(`select count(*) from deliveries ${text}`, values);
    },
  };
}

interface SelectedRow extends BodyLocation {
  readonly webhook: string;
  readonly trust: Trust | null;
  readonly headers: string;
  readonly query: string;
}

function chosen({ statuses, webhook, since, until, after }: DeliverySelection): Query {
  const { text, values } = where({
    'replay_of is null': true,
    'received_at <= ?': until,
    'webhook = ?': webhook,
    'received_at >= ?': since,
    'id > ?': after,
  });
  const places = statuses.map(() => '?').join(', ');
  return { text: `${text} and status in (${places})`, values: [...values, ...statuses] };
}
