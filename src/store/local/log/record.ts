import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { DeliveryRow } from '../tables/rows.ts';
import type { LogPosition } from './segments.ts';

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

/** The row of a record: as it was accepted, without the location of its body. */
export type RecordedRow = Omit<DeliveryRow, 'body_segment' | 'body_offset' | 'body_removed_at'>;

/** A record that was found whole; its bytes are views of the memory that was read. */
export interface FoundRecord {
  readonly row: string;
  readonly body: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** Most bytes that `packRecord` may take. */
function recordBound(row: string, body: Uint8Array): number {
  return HEADER_BYTES + row.length * 3 + body.byteLength;
}

/** Writes a record, still without its magic and checksum, and returns where it ends. */
function packRecord(target: Buffer, at: number, row: string, body: Uint8Array): number {
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

/** A delivery on its way to the writer. */
export interface PendingRecord {
  /** Its row as JSON. */
  readonly row: string;
  readonly body: Uint8Array;
}

/** Where a parcel was packed. */
interface Packed {
  readonly at: number;
  readonly end: number;
}

/**
 * Packs the deliveries of a batch into one piece of memory, which crosses to the writer and comes back: one
 * transfer for all of them, and no new memory for each batch.
 */
interface Packing {
  pack(parcels: readonly PendingRecord[]): {
    readonly records: Uint8Array<ArrayBuffer>;
    readonly packed: readonly Packed[];
  };
  /** Takes the memory back. */
  returned(records: Uint8Array): void;
}

/** Rare batches that need more get memory of their own. */
const KEPT_BYTES = 4 * 1024 * 1024;

export function createPacking(): Packing {
  let free: ArrayBuffer = new ArrayBuffer(0);
  return {
    pack(parcels) {
      const bound = parcels.reduce((sum, { row, body }) => sum + recordBound(row, body), 0);
      const memory = free.byteLength >= bound ? free : new ArrayBuffer(bound);
      free = new ArrayBuffer(0);
      const target = Buffer.from(memory);
      let at = 0;
      const packed = parcels.map(({ row, body }) => {
        const end = packRecord(target, at, row, body);
        const position = { at, end };
        at = end;
        return position;
      });
      return { records: new Uint8Array(memory), packed };
    },
    returned({ buffer }) {
      if (buffer.byteLength <= KEPT_BYTES && buffer.byteLength > free.byteLength)
        free = buffer as ArrayBuffer;
    },
  };
}

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
    const location = row.status === 'duplicate' ? [null, null] : [segment, offset];
    insert.run(...values, ...location);
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
