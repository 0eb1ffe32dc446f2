import { idFloor } from '../../../lib/ids.ts';
import { OPERATOR } from '../../../types/webhook.ts';
import type { Stat, StatsFilter, StatsReader } from '../../stats.ts';
import type { Sql } from '../sql.ts';
import { ownedBy, SLACK_MS } from '../tables/search.ts';

type By = StatsFilter['by'];

/** Where rows of a group come from, as `t`, and what the group is called. */
interface Source {
  readonly name: string;
  readonly from: string;
  readonly where?: string;
}

/** Null by agent, which receives none. */
const DELIVERIES: { readonly [Name in By]: Source | null } = {
  webhook: { name: 't.webhook', from: 'deliveries t' },
  command: {
    name: `t.webhook || '/' || json_extract(d.value, '$.command')`,
    from: 'deliveries t, json_each(t.decisions) d',
    where: `and cast(json_extract(d.value, '$.fired') as text) = '1'`,
  },
  agent: null,
  owner: { name: 't.owner', from: 'deliveries t' },
  variant: {
    name: `t.webhook || '/' || t.variant`,
    from: 'deliveries t',
    where: 'and t.variant is not null',
  },
};

const TASKS: { readonly [Name in By]: Source } = {
  webhook: { name: 't.webhook', from: 'tasks t' },
  command: { name: `t.webhook || '/' || t.command`, from: 'tasks t' },
  agent: { name: 't.agent', from: 'tasks t' },
  owner: { name: 't.owner', from: 'tasks t' },
  variant: {
    name: `t.webhook || '/' || d.variant`,
    from: 'tasks t join deliveries d on d.id = t.delivery_id',
    where: 'and d.variant is not null',
  },
};

/** Rows of one group and step, the quickest first, so that median and 95 % are rows. */
const RANKED = `row_number() over (partition by name, at order by took is null, took) as place,
  count(took) over (partition by name, at) as timed`;
const MEDIAN = 'max(iif(place = (timed + 1) / 2, took, null))';
const P95 = 'max(iif(place = (timed * 95 + 99) / 100, took, null))';

type OfDeliveries = Pick<
  Stat,
  'name' | 'at' | 'deliveries' | 'processed' | 'undone' | 'settleMs' | 'settleP95Ms'
>;
type OfTasks = Omit<Stat, Exclude<keyof OfDeliveries, 'name' | 'at'>>;

export function readStats(sql: Sql): Pick<StatsReader, 'stats'> {
  return {
    stats(filter) {
      const { by } = filter;
      const [came, made] = [DELIVERIES[by], TASKS[by]];
      const deliveries =
        came === null
          ? []
          : sql.all<OfDeliveries>(
              `select name, at, count(*) as deliveries, sum(status = 'processed') as processed,
                 sum(status = 'failed') as undone, ${MEDIAN} as "settleMs", ${P95} as "settleP95Ms"
               from (select *, ${RANKED} from (
                 select distinct t.id, ${came.name} as name, ${step('t.received_at')} as at, t.status,
                   t.settled_at - t.received_at as took
                 from ${came.from}
                 where ${within('t.received_at', filter)} and t.status not in ('rejected', 'duplicate') ${came.where ?? ''}) as came) as ranked
               group by name, at`,
              valuesOf('dlv', filter),
            );
      const tasks = sql.all<OfTasks>(
        `select name, at, count(*) as tasks, sum(status = 'completed') as completed,
           sum(status = 'failed') as failed, sum(status = 'cancelled') as cancelled,
           ${MEDIAN} as "taskMs", ${P95} as "taskP95Ms",
           coalesce(sum(cost_usd), 0) as "costUsd", count(cost_usd) as "knownCosts"
         from (select *, ${RANKED} from (
           select ${made.name} as name, ${step('t.created_at')} as at, t.status, t.cost_usd,
             t.completed_at - t.created_at as took
           from ${made.from} where ${within('t.created_at', filter)} ${made.where ?? ''}) as made) as ranked
         group by name, at`,
        valuesOf('task', filter),
      );
      return joined(deliveries, tasks, came !== null);
    },
  };
}

function step(column: string): string {
  return `${column} - (${column} - :since) % :step`;
}

function within(column: string, { webhook, owner }: StatsFilter): string {
  return `t.id >= :floor and ${column} between :since and :until and t.sample is not 1
    ${webhook === undefined ? '' : 'and t.webhook = :webhook'} ${ownedBy(owner, 't.owner')}`;
}

function valuesOf(kind: 'dlv' | 'task', { since, until, webhook, owner, stepMs }: StatsFilter) {
  const whole = Math.max(1, until - since + 1);
  return {
    since,
    until,
    webhook: webhook ?? null,
    owner: owner ?? null,
    step: stepMs ?? whole,
    floor: idFloor(kind, since - SLACK_MS),
  };
}

/** The indexes of the others' rows alone answer it. */
export function readOwners(sql: Sql): Pick<StatsReader, 'countsByOwner'> {
  const count = (table: string) =>
    sql.all<{ readonly owner: string; readonly count: number }>(
      `select owner, count(*) as count from ${table} where owner <> '${OPERATOR}' group by owner`,
    );
  return {
    countsByOwner() {
      const [deliveries, tasks] = ['deliveries', 'tasks'].map(
        (table) => new Map(count(table).map((row) => [row.owner, row.count])),
      );
      const owners = new Set([...(deliveries?.keys() ?? []), ...(tasks?.keys() ?? [])]);
      return [...owners].sort().map((owner) => ({
        owner,
        deliveries: deliveries?.get(owner) ?? 0,
        tasks: tasks?.get(owner) ?? 0,
      }));
    },
  };
}

/** One row for each group and step. A group may have deliveries without tasks, or tasks without deliveries. */
function joined(
  deliveries: readonly OfDeliveries[],
  tasks: readonly OfTasks[],
  receives: boolean,
): readonly Stat[] {
  const keyOf = ({ name, at }: Pick<Stat, 'name' | 'at'>) => JSON.stringify([name, at]);
  const none = receives ? 0 : null;
  const byKey = new Map<string, Stat>();
  for (const each of tasks)
    byKey.set(keyOf(each), {
      ...{ deliveries: none, processed: none, undone: none, settleMs: null, settleP95Ms: null },
      ...each,
    });
  for (const each of deliveries) {
    const noTasks = { tasks: 0, completed: 0, failed: 0, cancelled: 0, costUsd: 0, knownCosts: 0 };
    const idle = { ...each, ...noTasks, taskMs: null, taskP95Ms: null };
    byKey.set(keyOf(each), { ...(byKey.get(keyOf(each)) ?? idle), ...each });
  }
  return [...byKey.values()].toSorted((a, b) => (a.name ?? '').localeCompare(b.name ?? '') || a.at - b.at);
}
