import { OPERATOR } from '../../../types/webhook.ts';
import type { NewDelivery } from '../../store.ts';
import type { Sql } from '../sql.ts';
import type { DeliveryRow } from '../tables/deliveries.ts';
import type { LogPosition } from './segments.ts';

/**
 * One delivery in the log: 16 bytes of header, its row as JSON, its raw bytes. The header is four little-endian numbers:
 * a magic one, the CRC-32 of everything behind itself, bytes of the row, bytes of the body.
 */
export const HEADER_BYTES = 16;

/** `HKR1` */
const MAGIC = 0x31524b48;
const SUM_AT = 4;
const ROW_BYTES_AT = 8;
const BODY_BYTES_AT = 12;

/** Of `node:zlib`, which commands that read no body need not load. */
function crc32(bytes: Uint8Array, start?: number): number {
  return process.getBuiltinModule('node:zlib').crc32(bytes, start);
}

/** The row of a record: as it was accepted, without the location of its body. The operator's name no owner. */
export type RecordedRow = Omit<
  DeliveryRow,
  'owner' | 'variant' | 'body_segment' | 'body_offset' | 'body_removed_at'
> & {
  readonly owner?: string | undefined;
};

/** A record that was found whole; its bytes are views of the memory that was read. */
export interface FoundRecord {
  readonly row: string;
  readonly body: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

const HEADER_ROOM = ' '.repeat(HEADER_BYTES);

/** A record in two pieces, so that no body is copied: header with row, and body. */
export function recordOf(row: RecordedRow, body: Uint8Array): readonly [Buffer, Uint8Array] {
  const head = Buffer.from(HEADER_ROOM + JSON.stringify(row));
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(head.length - HEADER_BYTES, ROW_BYTES_AT);
  head.writeUInt32LE(body.byteLength, BODY_BYTES_AT);
  head.writeUInt32LE(crc32(body, crc32(head.subarray(ROW_BYTES_AT))), SUM_AT);
  return [head, body];
}

/** Bytes of the record whose header this is; null when it is none. */
export function recordLength(header: Buffer): number | null {
  if (header.length < HEADER_BYTES || header.readUInt32LE(0) !== MAGIC) return null;
  return HEADER_BYTES + header.readUInt32LE(ROW_BYTES_AT) + header.readUInt32LE(BODY_BYTES_AT);
}

/**
 * Reads the record at an offset. Null when none begins there, or when it is damaged. `isFresh`: this process has just written it,
 * which makes a check of its sum unnecessary.
 */
export function readRecord(bytes: Buffer, at: number, isFresh = false): FoundRecord | null {
  const length = recordLength(bytes.subarray(at, at + HEADER_BYTES));
  if (length === null || at + length > bytes.length) return null;
  const record = bytes.subarray(at, at + length);
  if (!isFresh && crc32(record.subarray(ROW_BYTES_AT)) !== record.readUInt32LE(SUM_AT)) return null;
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

/** The row of a delivery as it is accepted. */
export function rowOf(delivery: NewDelivery): RecordedRow {
  return {
    id: delivery.id,
    webhook: delivery.webhook,
    webhook_id: delivery.webhookId,
    owner: delivery.owner === OPERATOR ? undefined : delivery.owner,
    provider: delivery.provider,
    status: delivery.status,
    trust: delivery.trust,
    reason: delivery.reason,
    sender_delivery_id: delivery.senderDeliveryId,
    event_type: delivery.eventType,
    external_id: delivery.externalId,
    sender_name: delivery.senderName,
    headers: JSON.stringify(delivery.headers),
    query: delivery.query,
    size: delivery.body.byteLength,
    received_at: delivery.receivedAt,
    settled_at: delivery.settledAt,
    duplicate_of: null,
    replay_of: delivery.replayOf,
    replies: delivery.replies ? 1 : 0,
    attempts: 0,
    next_attempt_at: null,
    decisions: JSON.stringify(delivery.decisions),
    claims: JSON.stringify(delivery.dedupeKeys),
    by_person: delivery.isByPerson ? 1 : 0,
    sample: delivery.isSample ? 1 : null,
  };
}

/** The columns of a recorded row. */
export const COLUMNS = [
  'id',
  'webhook',
  'webhook_id',
  'owner',
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
] as const satisfies readonly (keyof RecordedRow)[];

const INSERT = `insert into deliveries (${COLUMNS.join(', ')}, body_segment, body_offset)
  values (${COLUMNS.map(() => '?').join(', ')}, ?, ?) on conflict do nothing`;

/** What the column of a row holds that was recorded, also by an earlier hookctl. */
export function valueIn(row: RecordedRow, column: (typeof COLUMNS)[number]): string | number | null {
  return row[column] ?? (column === 'owner' ? OPERATOR : null);
}

/** Stores the row of a recorded delivery; one that is there already stays as it is. */
export function storeRow(sql: Sql, row: RecordedRow, { segment, offset }: LogPosition): void {
  const values = COLUMNS.map((name) => valueIn(row, name));
  // Nothing of a duplicate's body was recorded.
  const location = row.status === 'duplicate' ? [null, null] : [segment, offset];
  sql.run(INSERT, [...values, ...location]);
}

/** Notes up to where every record of the log has a row. */
export function noteEnd(sql: Sql, { segment, offset }: LogPosition): void {
  sql.run('update body_log set segment = ?, "offset" = ?', [segment, offset]);
}

/** Up to where every record of the log has a row. */
export function notedEnd(sql: Sql): LogPosition {
  return sql.one<LogPosition>('select segment, "offset" from body_log') ?? { segment: 0, offset: 0 };
}
