import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { Sql } from '../sql.ts';
import { keepKeys } from './claims.ts';
import {
  HEADER_BYTES,
  nextRecord,
  notedEnd,
  noteEnd,
  type RecordedRow,
  readRecord,
  recordLength,
  storeRow,
} from './record.ts';
import { type LogPosition, listSegments, segmentPath } from './segments.ts';

/** A stretch of the log whose records were given their rows. */
interface Indexed {
  /** Up to where every record has its row. */
  readonly end: LogPosition;
  readonly rows: number;
  /** Places in which nothing could be read, although whole records follow: `…/00000001.log, byte 4711`. */
  readonly damaged: readonly string[];
}

interface IndexOptions {
  /** Up to where records are on disk; null for the end of the log. */
  readonly to: LogPosition | null;
  /** Records of a db that was lost are not run again unasked. */
  readonly isLost?: boolean;
}

const LOST = 'the db was lost, so it is unknown whether this ran; retry it if it did not';

/**
 * Gives the records of the log their rows, from where the index ends. The caller holds a transaction. Reads neither
 * configuration nor bodies: a record holds all that its row is made of.
 */
export function indexLog(sql: Sql, folder: string, { to, isLost = false }: IndexOptions): Indexed {
  const from = notedEnd(sql);
  const damaged: string[] = [];
  let end = from;
  let rows = 0;
  for (const segment of segmentsFrom(folder, from, to)) {
    const start = segment === from.segment ? from.offset : 0;
    const until = segment === to?.segment ? to.offset : null;
    const path = segmentPath(folder, segment);
    let offset = start;
    for (const found of readRecords(path, start, until)) {
      if ('damagedAt' in found) damaged.push(`${path}, byte ${found.damagedAt}`);
      else {
        storeRecord(sql, isLost ? settled(found.row) : found.row, { segment, offset: found.at });
        rows += 1;
        offset = found.end;
      }
    }
    end = { segment, offset };
  }
  if (end !== from) noteEnd(sql, end);
  return { end, rows, damaged };
}

/** Whole records from a position to the end of the log. */
export function countRecords(folder: string, from: LogPosition): number {
  let count = 0;
  for (const segment of segmentsFrom(folder, from, null)) {
    const start = segment === from.segment ? from.offset : 0;
    for (const found of readRecords(segmentPath(folder, segment), start, null))
      if ('row' in found) count += 1;
  }
  return count;
}

/** While one server runs, the last segment is the only one that grows: a look at the folder is needed only where the next begins. */
function segmentsFrom(folder: string, from: LogPosition, to: LogPosition | null): readonly number[] {
  if (from.segment === to?.segment) return from.offset < to.offset ? [from.segment] : [];
  return listSegments(folder).filter(
    (number) => number >= from.segment && (to === null || number <= to.segment),
  );
}

function storeRecord(sql: Sql, row: RecordedRow, at: LogPosition): void {
  storeRow(sql, row, at);
  // Keys of pending deliveries are in memory.
  if (row.status === 'ignored' || row.status === 'failed') keepKeys(sql, row, false);
}

function settled(row: RecordedRow): RecordedRow {
  if (row.status !== 'pending') return row;
  return { ...row, status: 'failed', reason: LOST, settled_at: row.received_at };
}

type Found =
  | { readonly row: RecordedRow; readonly at: number; readonly end: number }
  | { readonly damagedAt: number };

/** Read at once; a longer record is read whole. */
const CHUNK_BYTES = 1024 * 1024;
/** One for each thread, so that no memory is made for each look. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** The records of a segment between two of its offsets. Stops at one that was cut off while it was written. */
function* readRecords(path: string, from: number, until: number | null): Generator<Found> {
  const fd = openSync(path, 'r');
  try {
    const size = until ?? fstatSync(fd).size;
    for (let at = from; at < size; ) {
      const bytes = bytesAt(fd, at, size);
      let used = 0;
      for (;;) {
        const record = readRecord(bytes, used, until !== null);
        if (record === null) break;
        yield { row: JSON.parse(record.row) as RecordedRow, at: at + used, end: at + record.end };
        used = record.end;
      }
      at += used;
      if (used > 0) continue;
      const rest = readBytes(fd, Buffer.allocUnsafe(size - at), at);
      const next = nextRecord(rest, 1);
      if (next === null) return;
      yield { damagedAt: at };
      at += next;
    }
  } finally {
    closeSync(fd);
  }
}

/** From an offset on: at least the whole record there, if it is one. */
function bytesAt(fd: number, at: number, size: number): Buffer {
  const bytes = readBytes(fd, chunk.subarray(0, Math.min(CHUNK_BYTES, size - at)), at);
  const length = recordLength(bytes.subarray(0, HEADER_BYTES)) ?? 0;
  const isLonger = length > bytes.length && at + length <= size;
  return isLonger ? readBytes(fd, Buffer.allocUnsafe(length), at) : bytes;
}

/** Fills memory with the bytes of a file from an offset on; fewer where the file ends. */
function readBytes(fd: number, target: Buffer, offset: number): Buffer {
  let read = 0;
  while (read < target.length) {
    const count = readSync(fd, target, read, target.length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  return target.subarray(0, read);
}

/** Removes what a crash cut off while it was written, behind the last record; it was never acknowledged. */
export function cutTail(folder: string, { segment, offset }: LogPosition): void {
  if (segment !== listSegments(folder).at(-1)) return;
  const fd = openSync(segmentPath(folder, segment), 'r+');
  try {
    if (fstatSync(fd).size <= offset) return;
    ftruncateSync(fd, offset);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What was lost, in words, when the store was opened; nothing after an ordinary crash. */
export function recoveryProblems(
  { rows, damaged }: Indexed,
  path: string,
  isLost: boolean,
): readonly string[] {
  const lost =
    isLost && rows > 0
      ? [
          `${path} was lost: ${rows} deliveries were made again from the log beside it, as failed, and their tasks are gone. A backup brings them back: \`hookctl restore <folder>\`.`,
        ]
      : [];
  return [...lost, ...damaged.map(holeAt)];
}

/** Names a place of the log in which nothing could be read, as a problem. */
export function holeAt(place: string): string {
  return `${place}: nothing could be read there; what follows it is kept.`;
}
