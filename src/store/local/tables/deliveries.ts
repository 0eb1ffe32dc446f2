import type { Delivery, DeliveryStatus, Trust } from '../../../types.ts';
import type { DeliveryFilter, PendingDelivery, StoreReader, WebhookCounts } from '../../store.ts';
import { PAGE_SIZE, type Query, type Sql, where } from '../sql.ts';

/** A row of `deliveries`. Times are epoch milliseconds, booleans 0 or 1. */
export interface DeliveryRow {
  readonly id: string;
  /** Its name when the delivery came. */
  readonly webhook: string;
  /** Of a dynamic webhook: what stays when its name changes. */
  readonly webhook_id: string | null;
  readonly provider: string;
  readonly status: DeliveryStatus;
  readonly trust: Trust | null;
  readonly reason: string | null;
  readonly sender_delivery_id: string | null;
  readonly event_type: string | null;
  readonly external_id: string | null;
  readonly sender_name: string | null;
  readonly headers: string;
  readonly query: string;
  readonly size: number;
  readonly received_at: number;
  readonly settled_at: number | null;
  readonly duplicate_of: string | null;
  readonly replay_of: string | null;
  readonly replies: number;
  readonly attempts: number;
  readonly next_attempt_at: number | null;
  readonly decisions: string;
  /** JSON list of the keys it claims; kept so that a requeue can claim them again. */
  readonly claims: string;
  /** Location of its record in the log of bodies; null when its body is not kept. */
  readonly body_segment: number | null;
  readonly body_offset: number | null;
  /** When retention removed the body. */
  readonly body_removed_at: number | null;
  /** 1 when a person wrote its text; null in rows of rejections. */
  readonly by_person: number | null;
  /** 1: `hookctl trigger` made it. */
  readonly sample: number | null;
}

type DeliveryReader = Pick<
  StoreReader,
  'delivery' | 'deliveries' | 'pending' | 'countsByWebhook' | 'holderOf' | 'countSettled'
>;

export function readDeliveries(sql: Sql): DeliveryReader {
  return {
    delivery(id) {
      const row = sql.one<DeliveryRow>('select * from deliveries where id = ?', [id]);
      return row === null ? null : toDelivery(row);
    },
    deliveries(filter = {}) {
      const { text, values } = listDeliveries(filter);
      return sql.all<DeliveryRow>(text, values).map(toDelivery);
    },
    pending: (after, limit) =>
      sql.all<PendingDelivery>(
        `select id, external_id as "externalId", attempts, next_attempt_at as "nextAttemptAt"
         from deliveries where status = 'pending' and id > ? order by id limit ?`,
        [after ?? '', limit],
      ),
    countsByWebhook(webhooks) {
      const named = webhooks === undefined ? '' : 'where webhook in (select value from json_each(?))';
      // An index alone answers it.
      const rows = sql.all<CountRow>(
        `select webhook, status, count(*) as count, max(id) as last_id, max(received_at) as last_received_at
         from deliveries ${named} group by webhook, status order by webhook`,
        webhooks === undefined ? [] : [JSON.stringify(webhooks)],
      );
      return toWebhookCounts(rows);
    },
    holderOf: (key) =>
      sql.one<{ delivery_id: string }>(
        "select delivery_id from dedupe_keys where webhook = '@' and key = ? and acted = 1",
        [key],
      )?.delivery_id ?? null,
    countSettled: (externalId, { status, since, reason = '' }) =>
      sql.one<{ count: number }>(
        `select count(*) as count from deliveries
         where external_id = :externalId and settled_at > :since and status = :status and reason like :reason
           and replay_of is null and by_person is not 1`,
        { externalId, since, status, reason: `${reason}%` },
      )?.count ?? 0,
  };
}

export function listDeliveries(filter: DeliveryFilter): Query {
  const { status, webhook, after, before, limit = PAGE_SIZE } = filter;
  const { text, values } = where({
    'status = ?': status,
    'webhook = ?': webhook,
    'id > ?': after,
    'id < ?': before,
  });
  const order = after === undefined ? 'desc' : 'asc';
  return {
    text: `select * from deliveries ${text} order by id ${order} limit ?`,
    values: [...values, limit],
  };
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    webhook: row.webhook,
    webhookId: row.webhook_id,
    provider: row.provider,
    status: row.status,
    trust: row.trust,
    reason: row.reason,
    senderDeliveryId: row.sender_delivery_id,
    eventType: row.event_type,
    externalId: row.external_id,
    senderName: row.sender_name,
    headers: JSON.parse(row.headers),
    query: row.query,
    size: row.size,
    receivedAt: row.received_at,
    settledAt: row.settled_at,
    duplicateOf: row.duplicate_of,
    replayOf: row.replay_of,
    replies: row.replies === 1,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    decisions: JSON.parse(row.decisions),
    bodyRemovedAt: row.body_removed_at,
    isSample: row.sample === 1,
  };
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
