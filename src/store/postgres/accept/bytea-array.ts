/** `bytea` in PostgreSQL's catalog. */
const BYTEA_OID = 17;
const INT = 4;
const HEADER_INTS = 5;

/**
 * A list of bytes as a parameter of type `bytea[]` in binary form, which costs a third of the text that `pg` would make of it:
 * dimensions, flags, type, length, lower bound, then each item's length and bytes.
 */
export function byteaArray(items: readonly Uint8Array[]): Buffer {
  const bytes = items.reduce((sum, { byteLength }) => sum + INT + byteLength, 0);
  const array = Buffer.allocUnsafe(items.length === 0 ? 3 * INT : HEADER_INTS * INT + bytes);
  let at = array.writeInt32BE(items.length === 0 ? 0 : 1, 0);
  at = array.writeInt32BE(0, at);
  at = array.writeInt32BE(BYTEA_OID, at);
  if (items.length === 0) return array;
  at = array.writeInt32BE(items.length, at);
  at = array.writeInt32BE(1, at);
  for (const item of items) {
    at = array.writeInt32BE(item.byteLength, at);
    array.set(item, at);
    at += item.byteLength;
  }
  return array;
}
