import type { CompiledQuery } from 'kysely';
import type { DeliveryStatus, Headers, Trust } from '../types.ts';
import type { ReadBody } from './local/log/body-log.ts';
import { sqlBuilder } from './local/tables/rows.ts';

/**
 * Deliveries that are to be run or sent again. Replays are never among them: a second replay of the same time would
 * otherwise replay the first one, too.
 */
export interface DeliverySelection {
  readonly statuses: readonly DeliveryStatus[];
  readonly webhook?: string;
  /** Received at this time or later, in epoch milliseconds. */
  readonly since?: number;
  /** Received at this time or earlier. */
  readonly until: number;
  /** Only those behind this id. */
  readonly after?: string;
}

/** As much of a delivery as it takes to send it again. */
export interface SelectedDelivery {
  readonly id: string;
  readonly webhook: string;
  readonly trust: Trust;
  readonly headers: Headers;
  readonly query: string;
  /** Reads its bytes, as `StoreReader.body` does. */
  readonly body: () => Uint8Array | null;
}

export interface SelectionReader {
  /** Oldest first, at most `limit`. */
  selected(selection: DeliverySelection, limit: number): readonly SelectedDelivery[];
  countSelected(selection: DeliverySelection): number;
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
