import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { createKeepKeys } from './dedupe.ts';
import {
  createNoteEnd,
  createStoreRow,
  nextRecord,
  notedEnd,
  type RecordedRow,
  readRecord,
  type StoreRow,
} from './record.ts';
import { type LogPosition, listSegments, logFolder, segmentPath } from './segments.ts';

/** What recovery found behind the end that the db knows. */
interface Recovered {
  /** Rows that were made again from their records. */
  readonly rows: number;
  /** Places in which nothing could be read, although whole records follow: `…/00000001.log, byte 4711`. */
  readonly damaged: readonly string[];
}

/** Losses to report after a recovery; none after an ordinary crash. */
export function recoveryProblems(
  { rows, damaged }: Recovered,
  path: string,
  isNew: boolean,
): readonly string[] {
  const lost =
    isNew && rows > 0
      ? [
          `${path} was lost: ${rows} deliveries were made again from the log beside it, as failed, and their tasks are gone. A backup brings them back: \`hookctl restore <folder>\`.`,
        ]
      : [];
  const holes = damaged.map((at) => `${at}: nothing could be read there; what follows it is kept.`);
  return [...lost, ...holes];
}

const LOST = 'the db was lost, so it is unknown whether this ran; retry it if it did not';

/**
 * Brings the db up to the log: records without rows get theirs, what was cut off while it was written is cut away.
 * Reads only what follows the end that the db knows, which is nothing after an orderly end. `isNew`: the db was made
 * just now; the records that are found then are not run again unasked.
 */
export function recoverRows(db: DatabaseSync, path: string, isNew: boolean): Recovered {
  const folder = logFolder(path);
  const segments = listSegments(folder);
  const known = notedEnd(db);
  const store = keepingKeys(db);
  const found = { rows: 0, damaged: [] as string[] };
  for (const segment of segments.filter((number) => number >= known.segment)) {
    const from = segment === known.segment ? known.offset : 0;
    const isLast = segment === segments.at(-1);
    if (statSync(segmentPath(folder, segment)).size <= from) continue;
    db.exec('begin immediate');
    const read = readSegment({ folder, segment, from, isLast, store: isNew ? settled(store) : store });
    createNoteEnd(db)({ segment, offset: read.end });
    db.exec('commit');
    found.rows += read.rows;
    found.damaged.push(...read.damaged);
  }
  return found;
}

interface Reading {
  readonly folder: string;
  readonly segment: number;
  readonly from: number;
  readonly isLast: boolean;
  readonly store: StoreRow;
}

function readSegment({
  folder,
  segment,
  from,
  isLast,
  store,
}: Reading): Recovered & { readonly end: number } {
  const path = segmentPath(folder, segment);
  const bytes = readFileSync(path);
  const damaged: string[] = [];
  let rows = 0;
  let at = from;
  while (at < bytes.length) {
    const record = readRecord(bytes, at);
    if (record !== null) {
      store(JSON.parse(record.row) as RecordedRow, { segment, offset: at });
      rows += 1;
      at = record.end;
      continue;
    }
    const next = nextRecord(bytes, at + 1);
    if (next === null) break;
    damaged.push(`${path}, byte ${at}`);
    at = next;
  }
  if (at < bytes.length && isLast) cutTail(path, at);
  return { rows, damaged, end: at };
}

/** A write that a crash cut off was never acknowledged. */
function cutTail(path: string, at: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, at);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What was ignored at once, or is not known to have run, keeps the keys of its bytes; those of pending ones are in memory. */
function keepingKeys(db: DatabaseSync): StoreRow {
  const store = createStoreRow(db);
  const keep = createKeepKeys(db);
  return (row, at) => {
    store(row, at);
    if (row.status === 'ignored' || row.status === 'failed') keep(row, false);
  };
}

function settled(store: StoreRow): StoreRow {
  return (row, at: LogPosition) =>
    store(
      row.status === 'pending'
        ? { ...row, status: 'failed', reason: LOST, settled_at: row.received_at }
        : row,
      at,
    );
}
