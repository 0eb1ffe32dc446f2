import { closeSync, constants, openSync, readSync } from 'node:fs';
import { failure, type HookctlError } from '../../../errors.ts';
import type { DeliveryRow } from '../tables/deliveries.ts';
import { type FoundRecord, HEADER_BYTES, readRecord, recordLength } from './record.ts';
import { segmentPath } from './segments.ts';

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
