import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writevSync } from 'node:fs';
import { requireRoom } from './disk-room.ts';
import {
  type LogPosition,
  listSegments,
  logFolder,
  makeLogFolder,
  segmentPath,
  syncFolder,
} from './segments.ts';

/** The end of the log, in the hands of the one thread that appends. */
export interface BodyLog {
  /**
   * Appends records and returns where the first begins; they are on disk when this returns. Throws what the disk
   * says; the log is then as it was.
   */
  append(records: readonly Buffer[]): LogPosition;
  /** Where the next record will begin. */
  end(): LogPosition;
  /** The db has recorded the last append. */
  keep(): void;
  /** Takes back an append that the db could not record, so that it does not come back at the next start. */
  undo(): void;
  /** Begins a new segment unless the present one is empty, so that that can be removed. */
  rotate(): void;
  close(): void;
}

interface BodyLogOptions {
  /** Bytes from which on a new segment is begun, default 64 MB. */
  readonly segmentBytes?: number;
  readonly now?: () => number;
  /** Bytes of the disk that stay free (`disk-room.ts`). */
  readonly reserveBytes?: number | null;
}

/** Default size of a segment. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** A segment is removed as a whole, so that a quiet folder must not keep one for months. */
const SEGMENT_MS = 24 * 60 * 60 * 1000;
const PRIVATE = 0o600;

interface OpenSegment {
  readonly number: number;
  readonly fd: number;
  readonly openedAt: number;
  readonly size: number;
}

/** Opens the log of a db to append. Recovery has cut what a crash left at its end. */
export function openBodyLog(databasePath: string, options: BodyLogOptions = {}): BodyLog {
  const { segmentBytes = SEGMENT_BYTES, now = Date.now, reserveBytes = null } = options;
  const folder = logFolder(databasePath);
  makeLogFolder(folder);
  let last = listSegments(folder).at(-1) ?? 0;
  let current: OpenSegment | null = last === 0 ? null : openLast();
  let before: LogPosition | null = null;

  function openLast(): OpenSegment {
    const fd = openSync(
      segmentPath(folder, last),
      constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW,
    );
    const { size, birthtimeMs } = fstatSync(fd);
    return { number: last, fd, openedAt: birthtimeMs || now(), size };
  }

  function segment(): OpenSegment {
    const full = current !== null && (current.size >= segmentBytes || now() - current.openedAt > SEGMENT_MS);
    if (full) abandon();
    current ??= openNext();
    return current;
  }

  function openNext(): OpenSegment {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const path = segmentPath(folder, last + 1);
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE);
    last += 1;
    syncFolder(folder);
    return { number: last, fd, openedAt: now(), size: 0 };
  }

  function abandon(): void {
    if (current !== null) closeSync(current.fd);
    current = null;
  }

  /** Where the disk does not even take back, what follows goes to another segment. */
  function cutTo(offset: number): void {
    if (current === null) return;
    try {
      ftruncateSync(current.fd, offset);
      fdatasyncSync(current.fd);
      current = { ...current, size: offset };
    } catch {
      abandon();
    }
  }

  return {
    append(records) {
      const bytes = records.reduce((sum, record) => sum + record.length, 0);
      requireRoom(folder, bytes, reserveBytes);
      const { fd, number, size } = segment();
      try {
        writeAll(fd, records);
        fdatasyncSync(fd);
      } catch (error) {
        cutTo(size);
        throw error;
      }
      before = { segment: number, offset: size };
      if (current !== null) current = { ...current, size: size + bytes };
      return before;
    },
    end: () => ({ segment: current?.number ?? last + 1, offset: current?.size ?? 0 }),
    keep() {
      before = null;
    },
    undo() {
      if (before !== null && current?.number === before.segment) cutTo(before.offset);
      before = null;
    },
    rotate() {
      if (current === null || current.size === 0) return;
      abandon();
      current = openNext();
    },
    close: abandon,
  };
}

/** One call may write less than it was given. */
function writeAll(fd: number, records: readonly Buffer[]): void {
  let rest = records;
  while (rest.length > 0) {
    let written = writevSync(fd, rest);
    let whole = 0;
    for (const record of rest) {
      if (written < record.length) break;
      written -= record.length;
      whole += 1;
    }
    const [cut, ...others] = rest.slice(whole);
    rest = cut === undefined ? [] : [cut.subarray(written), ...others];
  }
}
