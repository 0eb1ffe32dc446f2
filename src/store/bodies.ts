import { closeSync, constants, openSync, readSync } from 'node:fs';
import { failure, type HookctlError } from '../errors.ts';
import { HEADER_BYTES, readRecord, recordLength } from './record.ts';
import type { DeliveryRow } from './schema.ts';
import { segmentPath } from './segments.ts';

/** Everything that knows how raw bodies are read. Rows that lists and the queue read stay small without them. */

/** Header and row of a record, with room to spare. */
const USUAL_ROW_BYTES = 4 * 1024;

/** What of a row leads to its body. */
export type BodyPlace = Pick<DeliveryRow, 'id' | 'size' | 'body_segment' | 'body_offset'>;

/**
 * The body of a delivery; null when nothing of it is kept. Throws `damaged_body` when what lies there is not what was
 * received, and `missing_body` when the segment is gone.
 */
export function readBody(folder: string, place: BodyPlace): Uint8Array | null {
  const { id, size, body_segment: segment, body_offset: offset } = place;
  if (segment === null || offset === null) return null;
  const path = segmentPath(folder, segment);
  const record = readRecordAt(path, offset, size + USUAL_ROW_BYTES);
  if (record === 'missing') throw broken('missing_body', place, `${path} does not exist`);
  const found = record === null ? null : readRecord(record, 0);
  if (found === null)
    throw broken('damaged_body', place, `its record at byte ${offset} of ${path} is damaged`);
  const isOwn = (JSON.parse(found.row) as { id: string }).id === id && found.body.byteLength === size;
  if (!isOwn) throw broken('damaged_body', place, `the record at byte ${offset} of ${path} is not its own`);
  return found.body;
}

/** `likely`: bytes that it should take, so that one look is enough. */
function readRecordAt(path: string, offset: number, likely: number): Buffer | 'missing' | null {
  const fd = openIfThere(path);
  if (fd === null) return 'missing';
  try {
    const found = readBytes(fd, offset, likely);
    const length = recordLength(found.subarray(0, HEADER_BYTES));
    if (length === null) return null;
    return length <= found.length ? found.subarray(0, length) : readBytes(fd, offset, length);
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

function broken(code: string, { id }: BodyPlace, what: string): HookctlError {
  return failure(code, `the body of ${id} can't be read: ${what}.`, {
    fix: 'Restore a backup, or have the sender deliver it again.',
  });
}
