import { type CompiledQuery, sql } from 'kysely';
import { idFloor } from '../lib/ids.ts';
import { sqlBuilder } from './local/tables/rows.ts';

/** A body that may go: its delivery is settled, and nothing waits to be sent for it. */
export interface PrunableBody {
  readonly id: string;
  /** Bytes as received. */
  readonly size: number;
}

/** Whose bodies may go. */
export interface BodyFilter {
  /** Only of deliveries that came before this moment, epoch milliseconds; null: of any age. */
  readonly before: number | null;
  /** Only of samples; default false. */
  readonly samples?: boolean;
}

/** What of the log is no longer on disk. */
export interface Swept {
  readonly segments: number;
  readonly bytes: number;
}

/** Those that may go, the oldest first. */
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
 * The log keeps the order in which deliveries came, whatever the clock said: one that lies behind a younger one is no
 * older than that, although it came while the clock was set to 1970.
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

/** Lets go of bodies, and of what was sent or given up for them. One job; a row for each that was let go. */
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
 * Forgets rows whose bodies are gone, the oldest first; their dedupe keys go with them. A duplicate stays as long as what
 * it points at. A row for each.
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
