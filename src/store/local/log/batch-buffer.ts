import { packRecord, recordBound } from './record.ts';

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
        const place = { at, end };
        at = end;
        return place;
      });
      return { records: new Uint8Array(memory), packed };
    },
    returned({ buffer }) {
      if (buffer.byteLength <= KEPT_BYTES && buffer.byteLength > free.byteLength)
        free = buffer as ArrayBuffer;
    },
  };
}
