import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { RecordedRow } from './record.ts';
import type { LogPosition } from './segments.ts';

const COLUMNS: readonly (keyof RecordedRow)[] = [
  'id',
  'webhook',
  'webhook_id',
  'provider',
  'status',
  'trust',
  'reason',
  'sender_delivery_id',
  'event_type',
  'external_id',
  'sender_name',
  'headers',
  'query',
  'size',
  'received_at',
  'settled_at',
  'duplicate_of',
  'replay_of',
  'replies',
  'attempts',
  'next_attempt_at',
  'decisions',
  'claims',
  'by_person',
  'sample',
];

/** Stores rows of recorded deliveries; one that is there already stays as it is. */
export type StoreRow = (row: RecordedRow, at: LogPosition) => void;

export function createStoreRow(db: DatabaseSync): StoreRow {
  const names = [...COLUMNS, 'body_segment', 'body_offset'];
  const insert = db.prepare(
    `insert into deliveries (${names.join(', ')}) values (${names.map(() => '?').join(', ')}) on conflict do nothing`,
  );
  return (row, { segment, offset }) => {
    const values: SQLInputValue[] = COLUMNS.map((name) => row[name] ?? null);
    // Nothing of a duplicate's body was recorded.
    const place = row.status === 'duplicate' ? [null, null] : [segment, offset];
    insert.run(...values, ...place);
  };
}

/** Notes up to where every record of the log has a row. */
export function createNoteEnd(db: DatabaseSync): (end: LogPosition) => void {
  const update = db.prepare('update body_log set segment = ?, "offset" = ?');
  return ({ segment, offset }) => void update.run(segment, offset);
}

/** Up to where every record of the log has a row. */
export function notedEnd(db: DatabaseSync): LogPosition {
  const { segment, offset } = db.prepare('select segment, "offset" from body_log').get() ?? {};
  return { segment: Number(segment), offset: Number(offset) };
}
