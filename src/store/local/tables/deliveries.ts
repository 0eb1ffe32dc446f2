import type { SnakeKeys } from '../../../lib/case.ts';
import { idFloor } from '../../../lib/ids.ts';
import type { Delivery } from '../../../types.ts';
import type { AnswerTimes, AnswerTimesReader } from '../../answer-times.ts';
import type { PendingDelivery } from '../../selection.ts';
import type { DeliveryFilter, StoreReader, WebhookCounts } from '../../store.ts';
import { page, type Query, type Sql } from '../sql.ts';
import { ownedBy, ownerIs, SLACK_MS, searchDeliveries } from './search.ts';
import { type Table, table } from './table.ts';

/** What a row has beside a delivery's fields. */
interface Own {
  /** The keys it claims; kept so that a requeue can claim them again. */
  readonly claims: readonly string[];
  /** Location of its record in the log of bodies; null when its body is not kept. */
  readonly bodySegment: number | null;
  readonly bodyOffset: number | null;
  /** 1 when a person wrote its text; null in rows of rejections. */
  readonly byPerson: number | null;
}

export const DELIVERIES: Table<Delivery, Own> = table(
  'deliveries',
  {
    headers: ['json', 'headers'],
    decisions: ['json', 'decisions'],
    replies: ['flag', 'replies'],
    isSample: ['flag', 'sample'],
  },
  ['claims', 'bodySegment', 'bodyOffset', 'byPerson'],
);

type PlainFields = Omit<Delivery & Own, 'headers' | 'decisions' | 'replies' | 'isSample' | 'claims'>;

/** A row of `deliveries`, as it is recorded in the log. */
export interface DeliveryRow extends SnakeKeys<PlainFields> {
  readonly headers: string;
  readonly decisions: string;
  readonly claims: string;
  readonly replies: number;
  readonly sample: number | null;
}

type DeliveryReader = Pick<
  StoreReader,
  | 'delivery'
  | 'deliveries'
  | 'received'
  | 'settlings'
  | 'pending'
  | 'countsByWebhook'
  | 'holderOf'
  | 'countSettled'
>;

export function readDeliveries(sql: Sql): DeliveryReader {
  return {
    delivery: (id) => DELIVERIES.get(sql, id),
    deliveries: (filter = {}) => DELIVERIES.list(sql, listDeliveries(filter)),
    // For each webhook an index alone answers it.
    received: (since, stepMs, owner) =>
      sql.all(
        `select received_at - received_at % cast(:step as integer) as at, status, count(*) as count
         from (select distinct webhook as name from deliveries) as named cross join deliveries
         on webhook = name and id >= :floor and received_at >= :since ${ownedBy(owner)}
         group by 1, 2 order by 1`,
        { step: stepMs, since, floor: idFloor('dlv', since - SLACK_MS), owner: owner ?? null },
      ),
    settlings: (since, limit, owner) =>
      sql.all(
        `select received_at as "receivedAt", settled_at as "settledAt" from deliveries
         where id >= :floor and status not in ('rejected', 'duplicate') ${ownedBy(owner)}
         order by id desc limit :limit`,
        { floor: idFloor('dlv', since), limit, owner: owner ?? null },
      ),
    pending: (after, limit) =>
      sql.all<PendingDelivery>(
        `select id, external_id as "externalId", attempts, next_attempt_at as "nextAttemptAt"
         from deliveries where status = 'pending' and id > ? order by id limit ?`,
        [after ?? '', limit],
      ),
    countsByWebhook(webhooks, owner) {
      const named = webhooks === undefined ? 'true' : 'webhook in (select value from json_each(:webhooks))';
      // Without an owner an index alone answers it.
      const rows = sql.all<CountRow>(
        `select webhook, status, count(*) as count, max(id) as last_id, max(received_at) as last_received_at
         from deliveries where ${named} ${ownedBy(owner)} group by webhook, status order by webhook`,
        { webhooks: webhooks ?? null, owner: owner ?? null },
      );
      return toWebhookCounts(rows);
    },
    holderOf: (key) =>
      sql.value("select delivery_id from dedupe_keys where webhook = '@' and key = ? and acted = 1", [key]),
    countSettled: (externalId, { owner, status, since, reason = '' }) =>
      sql.count(
        `select count(*) from deliveries
         where external_id = :externalId and settled_at > :since and status = :status and reason like :reason
           and owner = :owner and replay_of is null and by_person is not 1`,
        { owner, externalId, since, status, reason: `${reason}%` },
      ),
  };
}

export function listDeliveries(filter: DeliveryFilter): Query {
  const { id, status, webhook, owner, settledSince } = filter;
  return page(
    {
      ...{ 'id = ?': id, 'status = ?': status, 'webhook = ?': webhook, 'settled_at >= ?': settledSince },
      [ownerIs(owner)]: owner,
      ...searchDeliveries(filter),
    },
    filter,
  );
}

/** Rows of one webhook in one state. */
interface CountRow extends Pick<DeliveryRow, 'webhook' | 'status'> {
  readonly count: number;
  readonly last_id: string;
  readonly last_received_at: number;
}

function toWebhookCounts(rows: readonly CountRow[]): readonly WebhookCounts[] {
  const byWebhook = Map.groupBy(rows, (row) => row.webhook);
  return [...byWebhook].map(([webhook, counts]) => {
    const last = counts.reduce((newest, row) => (row.last_id > newest.last_id ? row : newest));
    return {
      webhook,
      total: counts.reduce((sum, row) => sum + row.count, 0),
      byStatus: Object.fromEntries(counts.map((row) => [row.status, row.count])),
      lastDeliveryId: last.last_id,
      lastReceivedAt: last.last_received_at,
    };
  });
}

const ANSWER_TIMES = table<AnswerTimes>('answer_times', { counts: ['json', 'counts'] });

/** Minutes are kept as long as the longest plot looks back, in milliseconds. */
const ANSWERS_KEPT_MS = 31 * 86_400_000;

export function readAnswerTimes(sql: Sql): AnswerTimesReader {
  return { answerTimes: (since) => ANSWER_TIMES.all(sql, 'where at >= ? order by at', [since]) };
}

export function noteAnswers(sql: Sql, { at, counts }: AnswerTimes): void {
  const [before] = ANSWER_TIMES.all(sql, 'where at = ?', [at]);
  const sum: Record<string, number> = { ...before?.counts };
  for (const [bound, count] of Object.entries(counts)) sum[bound] = (sum[bound] ?? 0) + count;
  if (before === undefined) sql.run('delete from answer_times where at < ?', [at - ANSWERS_KEPT_MS]);
  ANSWER_TIMES.insert(sql, { at, counts: sum }, 'on conflict (at) do update set counts = excluded.counts');
}
