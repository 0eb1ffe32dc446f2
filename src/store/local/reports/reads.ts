import type { StoreReader } from '../../store.ts';
import type { ReadBody } from '../log/body-reader.ts';
import type { Query, Sql } from '../sql.ts';
import { readAgentEvents } from '../tables/agent-events.ts';
import { listAudit, readAudit } from '../tables/audit.ts';
import { readConnections } from '../tables/connections.ts';
import { listDeliveries, readAnswerTimes, readDeliveries } from '../tables/deliveries.ts';
import { listConversations, listFlows, readFlows } from '../tables/flows.ts';
import { listOutgoing, readOutbox } from '../tables/outbox.ts';
import { readRetention, readSelection } from '../tables/retention.ts';
import { readRuns } from '../tables/runs.ts';
import { readSweeps } from '../tables/sweeps.ts';
import { readTaskChecks } from '../tables/task-checks.ts';
import { listTasks, readTasks } from '../tables/tasks.ts';
import { readOwners, readStats } from './stats.ts';

/** SQLite's value for no limit. */
const UNLIMITED = -1;

/** Sorts behind every id. */
const PAST_ALL_IDS = '~';

/** The lists whose rows can be counted, by their tables, each with its query. */
const countable = {
  deliveries: listDeliveries,
  tasks: listTasks,
  flows: listFlows,
  conversations: listConversations,
  outbox: listOutgoing,
  audit: listAudit,
};

/** All reads that SQL alone answers, whichever database runs it. `bodyAt`: reads the bytes of a row. */
export function readsOf(
  sql: Sql,
  bodyAt: ReadBody,
): Omit<StoreReader, 'body' | 'logBytes' | 'machines' | 'close'> {
  return {
    ...readDeliveries(sql),
    ...readRetention(sql),
    ...readSelection(sql, bodyAt),
    ...readTasks(sql),
    ...readFlows(sql),
    ...readOutbox(sql),
    ...readRuns(sql),
    ...readAudit(sql),
    ...readAgentEvents(sql),
    ...readConnections(sql),
    ...readTaskChecks(sql),
    ...readSweeps(sql),
    ...readAnswerTimes(sql),
    ...readStats(sql),
    ...readOwners(sql),
    idBefore: (list, before, count) =>
      sql.value(`select id from ${list} where id < ? order by id desc limit 1 offset ?`, [
        before ?? PAST_ALL_IDS,
        count - 1,
      ]),
    count(list, filter = {}) {
      const { text, values }: Query = countable[list]({ ...filter, limit: UNLIMITED } as never);
      return sql.count(`select count(*) from (select 1 from ${list} ${text}) as listed`, values);
    },
  };
}
