import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openBodyLog } from '../log/body-log.ts';
import { createNoteEnd, type RecordedRow, recordOf } from '../log/record.ts';
import { logFolder } from '../log/segments.ts';

const SCHEMA = `
alter table deliveries add column webhook_id text;
alter table deliveries add column body_segment integer;
alter table deliveries add column body_offset integer;
alter table deliveries add column body_removed_at integer;
create table body_log (segment integer not null, "offset" integer not null) strict;
insert into body_log values (0, 0);
`;

const INDEX = `
create index deliveries_by_segment on deliveries (body_segment, id) where body_segment is not null;
drop table bodies;
`;

/** Bytes that are copied at a time. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Bodies move from the db into the log beside it; the webhook's own id stands beside its name. */
export function bodyLog(db: DatabaseSync, path: string): void {
  db.exec(SCHEMA);
  if (db.prepare('select 1 from bodies').get() !== undefined) moveBodies(db, path);
  db.exec(INDEX);
}

function moveBodies(db: DatabaseSync, path: string): void {
  // A migration that was cut short left records, and undid their rows.
  rmSync(logFolder(path), { recursive: true, force: true });
  const log = openBodyLog(path);
  const rowOf = db.prepare('select * from deliveries where id = ?');
  const place = db.prepare('update deliveries set body_segment = ?, body_offset = ? where id = ?');
  let batch: { readonly id: string; readonly record: Buffer }[] = [];

  function flush(): void {
    if (batch.length === 0) return;
    const { segment, offset } = log.append(batch.map(({ record }) => record));
    let at = offset;
    for (const { id, record } of batch) {
      place.run(segment, at, id);
      at += record.length;
    }
    batch = [];
  }

  for (const { delivery_id: id = '', bytes } of db
    .prepare('select * from bodies order by delivery_id')
    .iterate()) {
    const { body_segment, body_offset, body_removed_at, ...row } = rowOf.get(id) ?? {};
    batch.push({ id: String(id), record: recordOf(row as unknown as RecordedRow, bytes as Uint8Array) });
    if (batch.reduce((sum, { record }) => sum + record.length, 0) > BATCH_BYTES) flush();
  }
  flush();
  createNoteEnd(db)(log.end());
  log.close();
}
