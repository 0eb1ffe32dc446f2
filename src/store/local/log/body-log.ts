import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statfsSync,
  writevSync,
} from 'node:fs';
import { failure, type HookctlError } from '../../../errors.ts';
import type { DeliveryRow } from '../tables/rows.ts';
import { type FoundRecord, HEADER_BYTES, readRecord, recordLength } from './record.ts';
import {
  type LogPosition,
  listSegments,
  logFolder,
  makeLogFolder,
  segmentPath,
  syncFolder,
} from './segments.ts';

/** Kept free for what was accepted already: its tasks, replies and task files. Of a small disk, a twentieth. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const RESERVE_SHARE = 0.05;

/**
 * Throws when storing this many bytes would eat into the reserve: better to refuse than to accept and not to work.
 * `given`: a reserve in bytes, default 16 MB, or a twentieth of a small disk.
 */
function requireRoom(folder: string, bytes: number, given: number | null = null): void {
  const { bavail, blocks, bsize } = statfsSync(folder);
  const reserve = given ?? Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE);
  const left = bavail * bsize;
  if (left - bytes < reserve) throw new Error(`the disk of ${folder} is full (${left} bytes left)`);
}

/** The end of the log. Only for the one thread that appends. */
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
  /** Starts a new segment unless the present one is empty, so that the present one can be removed. */
  rotate(): void;
  close(): void;
}

interface BodyLogOptions {
  /** Size in bytes at which a new segment starts, default 64 MB. */
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

/** Opens the log of a db to append. Recovery has removed what a crash left behind the last record. */
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

  /** When even the cut fails, the next record goes to another segment. */
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

/** Header and row of a record, with room to spare. */
const USUAL_ROW_BYTES = 4 * 1024;

/** Columns that locate a body. */
export type BodyLocation = Pick<DeliveryRow, 'id' | 'size' | 'body_segment' | 'body_offset'>;

/**
 * The body of a delivery; null when nothing of it is kept. Throws `damaged_body` when the bytes there are not those that were
 * received, and `missing_body` when the segment is gone.
 */
export type ReadBody = (location: BodyLocation) => Uint8Array | null;

/** Bytes of a segment, and their offset in it. */
interface Stretch {
  readonly path: string;
  readonly start: number;
  readonly bytes: Buffer;
}

/** Read at once where one body after the other is wanted, as by a replay of many. */
const AHEAD_BYTES = 256 * 1024;

/** A body, and where in its segment the next record begins. */
interface Found {
  readonly body: Uint8Array;
  readonly end: number;
}

/** Reads bodies of a log. Bodies that are read one after the other, in their order, are read ahead. */
export function createBodyReader(folder: string): ReadBody {
  let ahead: Stretch | null = null;
  let next: { readonly path: string; readonly start: number } | null = null;

  /** Null when it was not read ahead, or when the file no longer has it. */
  function fromAhead(path: string, location: BodyLocation, offset: number): Found | null {
    if (ahead === null || ahead.path !== path || offset < ahead.start) return null;
    const found = readRecord(ahead.bytes, offset - ahead.start);
    return found !== null && isOwn(found, location)
      ? { body: found.body, end: ahead.start + found.end }
      : null;
  }

  function fromFile(path: string, location: BodyLocation, offset: number): Found {
    const isNext = next?.path === path && next.start === offset;
    const bytes = readRecordAt(path, offset, isNext ? AHEAD_BYTES : location.size + USUAL_ROW_BYTES);
    if (bytes === 'missing') throw broken('missing_body', location, `${path} does not exist`);
    const found = bytes === null ? null : readRecord(bytes, 0);
    if (bytes === null || found === null)
      throw broken('damaged_body', location, `its record at byte ${offset} of ${path} is damaged`);
    if (!isOwn(found, location))
      throw broken('damaged_body', location, `the record at byte ${offset} of ${path} is not its own`);
    ahead = isNext ? { path, start: offset, bytes } : null;
    return { body: found.body, end: offset + found.end };
  }

  return (location) => {
    const { body_segment: segment, body_offset: offset } = location;
    if (segment === null || offset === null) return null;
    const path = segmentPath(folder, segment);
    const { body, end } = fromAhead(path, location, offset) ?? fromFile(path, location, offset);
    next = { path, start: end };
    return body;
  };
}

function isOwn({ row, body }: FoundRecord, { id, size }: BodyLocation): boolean {
  // JSON escapes quotation marks in texts, so that only the row's own id matches.
  return row.includes(`"id":"${id}"`) && body.byteLength === size;
}

/** `likely`: bytes that are wanted, so that one look is enough. All of them that there are, but whole the first record. */
function readRecordAt(path: string, offset: number, likely: number): Buffer | 'missing' | null {
  const fd = openIfThere(path);
  if (fd === null) return 'missing';
  try {
    const found = readBytes(fd, offset, likely);
    const length = recordLength(found.subarray(0, HEADER_BYTES));
    if (length === null) return null;
    return length <= found.length ? found : readBytes(fd, offset, length);
  } finally {
    closeSync(fd);
  }
}

/** Fewer when the file ends before that. Grows with what is there: a damaged length must not take all memory. */
function readBytes(fd: number, offset: number, length: number): Buffer {
  const chunks: Buffer[] = [];
  for (let read = 0; read < length; ) {
    const chunk = Buffer.allocUnsafe(Math.min(length - read, 1024 * 1024));
    const count = readSync(fd, chunk, 0, chunk.length, offset + read);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    read += count;
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function broken(code: string, { id }: BodyLocation, what: string): HookctlError {
  return failure(code, `the body of ${id} can't be read: ${what}.`, {
    fix: 'Restore a backup, or have the sender deliver it again.',
  });
}
