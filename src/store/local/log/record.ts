import { crc32 } from 'node:zlib';
import type { DeliveryRow } from '../tables/rows.ts';

/**
 * One delivery in the log of bodies: 16 bytes of header, its row as JSON, its raw bytes. The header is four
 * little-endian numbers: a magic one, the CRC-32 of everything behind itself, bytes of the row, bytes of the body.
 */
export const HEADER_BYTES = 16;

/** `HKR1` */
const MAGIC = 0x31524b48;
const SUM_AT = 4;
const ROW_BYTES_AT = 8;
const BODY_BYTES_AT = 12;

/** What a record says of its delivery: the row as it was accepted, without where its body lies. */
export type RecordedRow = Omit<DeliveryRow, 'body_segment' | 'body_offset' | 'body_removed_at'>;

/** A record that was found whole; its bytes are views of the memory that was read. */
export interface FoundRecord {
  readonly row: string;
  readonly body: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** Most bytes that `packRecord` may take. */
export function recordBound(row: string, body: Uint8Array): number {
  return HEADER_BYTES + row.length * 3 + body.byteLength;
}

/** Writes a record, still without its magic and checksum, and returns where it ends. */
export function packRecord(target: Buffer, at: number, row: string, body: Uint8Array): number {
  const rowBytes = target.write(row, at + HEADER_BYTES, 'utf8');
  target.set(body, at + HEADER_BYTES + rowBytes);
  target.writeUInt32LE(rowBytes, at + ROW_BYTES_AT);
  target.writeUInt32LE(body.byteLength, at + BODY_BYTES_AT);
  return at + HEADER_BYTES + rowBytes + body.byteLength;
}

/** The row of a record that this process packed. */
export function packedRow(record: Buffer): RecordedRow {
  const rowBytes = record.readUInt32LE(ROW_BYTES_AT);
  return JSON.parse(record.toString('utf8', HEADER_BYTES, HEADER_BYTES + rowBytes));
}

/** Makes a packed record valid. Apart from packing, so that the sum is taken by the thread that writes. */
export function sealRecord(record: Buffer): void {
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(crc32(record.subarray(ROW_BYTES_AT)), SUM_AT);
}

/** A whole record in memory of its own. */
export function recordOf(row: RecordedRow, body: Uint8Array): Buffer {
  const text = JSON.stringify(row);
  const target = Buffer.alloc(recordBound(text, body));
  const record = target.subarray(0, packRecord(target, 0, text, body));
  sealRecord(record);
  return record;
}

/** Bytes of the record whose header this is; null when it is none. */
export function recordLength(header: Buffer): number | null {
  if (header.length < HEADER_BYTES || header.readUInt32LE(0) !== MAGIC) return null;
  return HEADER_BYTES + header.readUInt32LE(ROW_BYTES_AT) + header.readUInt32LE(BODY_BYTES_AT);
}

/** The record that begins here; null when there is none, or a damaged one. */
export function readRecord(bytes: Buffer, at: number): FoundRecord | null {
  const length = recordLength(bytes.subarray(at, at + HEADER_BYTES));
  if (length === null || at + length > bytes.length) return null;
  const record = bytes.subarray(at, at + length);
  if (crc32(record.subarray(ROW_BYTES_AT)) !== record.readUInt32LE(SUM_AT)) return null;
  const bodyAt = HEADER_BYTES + record.readUInt32LE(ROW_BYTES_AT);
  return {
    row: record.toString('utf8', HEADER_BYTES, bodyAt),
    body: record.subarray(bodyAt),
    end: at + length,
  };
}

/** Where the next whole record begins, at or behind `from`; null when there is none. */
export function nextRecord(bytes: Buffer, from: number): number | null {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = bytes.indexOf(magic, from); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (readRecord(bytes, at) !== null) return at;
  }
  return null;
}
