import { existsSync, statfsSync, writevSync } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { coalesce } from '../../../lib/time-slicer.ts';
import {
  type LogPosition,
  listSegments,
  logFolder,
  makeLogFolder,
  SEGMENT_BYTES,
  segmentPath,
  syncFolder,
} from './segments.ts';

/** Kept free for what was accepted already: its tasks, replies and task files. Of a small disk, a twentieth. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const RESERVE_SHARE = 0.05;
/** Bytes, or milliseconds, after which the room on the disk is looked at again. */
const ROOM_BYTES = RESERVE_BYTES / 4;
const ROOM_MS = 1_000;

/** Bytes that the system copies sooner than another thread is woken up to have them copied; the sync after it is what takes long. */
const COPIED_AT_ONCE = 1024 * 1024;

/** A segment is removed as a whole, so that a quiet folder must not keep one for months. */
const SEGMENT_MS = 24 * 60 * 60 * 1000;
const PRIVATE = 0o600;

/** The end of the log. For the one process that accepts. */
export interface AppendLog {
  /**
   * Appends a record, given in pieces, and resolves with where it begins, once it is on disk. Records that wait share one write and
   * one sync. Rejects with what the disk says; nothing of the record is in the log then.
   */
  append(pieces: readonly Uint8Array[]): Promise<LogPosition>;
  /** Where the next record will begin: every record before it is on disk. */
  end(): LogPosition;
  /** Starts a new segment unless the last one is empty or has grown beyond `end`, so that the last one can be removed. */
  rotate(end: LogPosition): Promise<void>;
  /** Refuses more, and resolves when what waits was written. */
  close(): Promise<void>;
}

interface AppendLogOptions {
  /** Where the index ends: nothing is appended before it, also where the log has lost bytes. */
  readonly after: LogPosition;
  /** Size in bytes at which a new segment starts, default 64 MB. */
  readonly segmentBytes?: number;
  readonly now?: () => number;
  /** Bytes of the disk that stay free, default 16 MB, or a twentieth of a small disk. */
  readonly reserveBytes?: number | null;
  /** Called after each write that is on disk, and before its records are answered. */
  readonly written?: (end: LogPosition, records: number) => void;
}

interface OpenSegment {
  readonly number: number;
  readonly file: FileHandle;
  readonly openedAt: number;
  /** Bytes on disk. */
  size: number;
}

interface Waiting {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: (position: LogPosition) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the log of a db to append. Recovery has removed what a crash left behind the last record. */
export async function openAppendLog(databasePath: string, options: AppendLogOptions): Promise<AppendLog> {
  const { after, segmentBytes = SEGMENT_BYTES, now = Date.now, reserveBytes = null, written } = options;
  const folder = logFolder(databasePath);
  makeLogFolder(folder);
  let last = Math.max(listSegments(folder).at(-1) ?? 0, after.segment);
  let current: OpenSegment | null = existsSync(segmentPath(folder, last)) ? await openLast() : null;
  let waiting: Waiting[] = [];
  /** The write that is under way, or the last one. */
  let flushed: Promise<void> = Promise.resolve();
  let isFlushing = false;
  let isClosed = false;
  let roomAt = Number.NEGATIVE_INFINITY;
  let unseenBytes = 0;
  const soon = coalesce(() => {
    if (!isFlushing) flushed = flushAll();
  });

  if (current?.number === after.segment && current.size < after.offset) await abandon();

  async function openLast(): Promise<OpenSegment> {
    const file = await open(
      segmentPath(folder, last),
      constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW,
    );
    const { size, birthtimeMs } = await file.stat();
    return { number: last, file, openedAt: birthtimeMs || now(), size };
  }

  async function openNext(): Promise<OpenSegment> {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const path = segmentPath(folder, last + 1);
    const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE);
    last += 1;
    syncFolder(folder);
    return { number: last, file, openedAt: now(), size: 0 };
  }

  async function segment(): Promise<OpenSegment> {
    const isFull =
      current !== null && (current.size >= segmentBytes || now() - current.openedAt > SEGMENT_MS);
    if (isFull) await abandon();
    current ??= await openNext();
    return current;
  }

  async function abandon(): Promise<void> {
    const left = current;
    current = null;
    await left?.file.close();
  }

  async function flushAll(): Promise<void> {
    isFlushing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await flush(batch);
    }
    isFlushing = false;
  }

  async function flush(batch: readonly Waiting[]): Promise<void> {
    const bytes = batch.reduce((sum, each) => sum + each.bytes, 0);
    try {
      requireRoom(bytes);
      const { number, size: start } = await write(batch, bytes);
      written?.(end(), batch.length);
      let offset = start;
      for (const each of batch) {
        each.resolve({ segment: number, offset });
        offset += each.bytes;
      }
    } catch (error) {
      for (const each of batch) each.reject(error);
    }
  }

  /** Returns the segment as it was before. */
  async function write(batch: readonly Waiting[], bytes: number) {
    const opened = await segment();
    const { number, file, size } = opened;
    try {
      const pieces = batch.flatMap((each) => each.pieces);
      await writeAll(file, pieces, bytes);
      await file.datasync();
    } catch (error) {
      await cut(opened);
      throw error;
    }
    opened.size += bytes;
    return { number, size };
  }

  /** Takes back what was not written whole. When even that fails, the next record goes to another segment. */
  async function cut({ file, size }: OpenSegment): Promise<void> {
    try {
      await file.truncate(size);
      await file.datasync();
    } catch {
      await abandon().catch(() => undefined);
    }
  }

  /** Better to refuse than to accept and not to work. Looks rarely: a disk that fills in between fails the write. */
  function requireRoom(bytes: number): void {
    unseenBytes += bytes;
    if (unseenBytes < ROOM_BYTES && performance.now() - roomAt < ROOM_MS) return;
    const { bavail, blocks, bsize } = statfsSync(folder);
    const reserve = reserveBytes ?? Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE);
    const left = bavail * bsize;
    if (left - bytes < reserve) throw new Error(`the disk of ${folder} is full (${left} bytes left)`);
    roomAt = performance.now();
    unseenBytes = 0;
  }

  function end(): LogPosition {
    return { segment: current?.number ?? last + 1, offset: current?.size ?? 0 };
  }

  return {
    append(pieces) {
      const { promise, resolve, reject } = Promise.withResolvers<LogPosition>();
      const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      if (isClosed) reject(new Error('the log is closed'));
      else waiting.push({ pieces, bytes, resolve, reject });
      if (!isFlushing) soon();
      return promise;
    },
    end,
    async rotate({ segment: number, offset }) {
      if (isFlushing || waiting.length > 0 || current === null || current.size === 0) return;
      if (current.number !== number || current.size !== offset) return;
      isFlushing = true;
      try {
        await abandon();
        current = await openNext();
      } finally {
        isFlushing = false;
        if (waiting.length > 0) soon();
      }
    },
    async close() {
      isClosed = true;
      while (isFlushing || waiting.length > 0) {
        await flushed;
        await new Promise(setImmediate);
      }
      await abandon();
    },
  };
}

/** One call may write less than it was given. */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], bytes: number): Promise<void> {
  let rest = pieces.filter((piece) => piece.byteLength > 0);
  while (rest.length > 0) {
    let bytesWritten =
      bytes <= COPIED_AT_ONCE ? writevSync(file.fd, rest) : (await file.writev(rest)).bytesWritten;
    let whole = 0;
    for (const piece of rest) {
      if (bytesWritten < piece.byteLength) break;
      bytesWritten -= piece.byteLength;
      whole += 1;
    }
    const [first, ...others] = rest.slice(whole);
    rest = first === undefined ? [] : [first.subarray(bytesWritten), ...others];
  }
}
