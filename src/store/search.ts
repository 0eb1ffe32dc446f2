import { createPauses } from '../lib/time-slicer.ts';
import type { SearchFilter } from './selection.ts';
import type { StoreReader } from './store.ts';

/** Rows that one look goes through: of rows alone, and where bodies are read. */
const ROWS_AT_ONCE = 5_000;
const BODIES_AT_ONCE = 100;
/** Looks for one answer: 100,000 rows, or 2,000 bodies. */
const MOST_LOOKS = 20;

/** Which list, its filter, and how to read it. */
interface Search<Filter, Row> {
  readonly store: Pick<StoreReader, 'idBefore'>;
  readonly list: 'deliveries' | 'tasks';
  readonly filter: Filter;
  readonly rows: (filter: Filter) => readonly Row[];
  readonly limit: number;
}

/** The newest rows that fit, and the id before which to go on; null when there are no more. */
interface Found<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/**
 * One page of a list on a thread that others wait for: what no index answers is looked through in parts, with everything else
 * done between two. Goes through so many rows at most, so that a page may hold fewer than `limit` although another follows.
 */
export async function findPage<
  Filter extends SearchFilter & { readonly before?: string; readonly limit?: number },
  Row extends { readonly id: string },
>({ store, list, filter, rows, limit }: Search<Filter, Row>): Promise<Found<Row>> {
  if (!isSlow(filter)) return cut(rows({ ...filter, limit: limit + 1 }), limit);
  const atOnce = filter.text === undefined ? ROWS_AT_ONCE : BODIES_AT_ONCE;
  const pause = createPauses();
  const found: Row[] = [];
  let before = filter.before;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const from = store.idBefore(list, before, atOnce);
    const part = { ...filter, ...(before !== undefined && { before }), ...(from !== null && { from }) };
    found.push(...rows({ ...part, limit: limit + 1 - found.length }));
    if (found.length > limit || from === null) return cut(found, limit);
    before = from;
    await pause();
  }
  return { rows: found, next: before ?? null };
}

function isSlow({ event, externalId, sender, text }: SearchFilter): boolean {
  return [event, externalId, sender, text].some((given) => given !== undefined);
}

function cut<Row extends { readonly id: string }>(rows: readonly Row[], limit: number): Found<Row> {
  const kept = rows.slice(0, limit);
  return { rows: kept, next: rows.length > limit ? (kept.at(-1)?.id ?? null) : null };
}
