/** Crockford's alphabet in lower case: no i, l, o, u, so an id can be read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

type IdPrefix = 'dlv' | 'task' | 'conv' | 'wh' | 'cmd' | 'out' | 'run' | 'con' | 'tok' | 'mac';

/** Makes ids that sort by time: `dlv-` + 10 characters of milliseconds + 6 random ones, `[a-z0-9-]` only. */
export interface IdSource {
  next(prefix: IdPrefix): string;
}

export function createIds(now: () => number): IdSource {
  let lastMs = -1;
  let tail = 0;
  return {
    next(prefix) {
      const ms = now();
      // Within one millisecond the tail counts up, so that ids keep the order in which they were made.
      tail = ms === lastMs ? (tail + 1) % 2 ** 30 : random() % 2 ** 29;
      lastMs = ms;
      return `${prefix}-${encode(ms, 10)}${encode(tail, 6)}`;
    },
  };
}

/** Ids of what one delivery makes, for each maker: the number of the event in the delivery and the id of the command. */
export type DeliveryIds = (event: number, maker: string) => IdSource;

/**
 * The same ids whenever the same delivery makes the same things in the same order, so that a dispatch that is repeated after
 * a power loss completes what is missing. They sort by the delivery's time, and within the delivery as they were made.
 *
 * Of the last 6 characters 2 are the delivery's last, which differ from those of its 1,023 successors; 1 counts; 3 are a hash
 * that tells apart what another maker would have made in the same place. Where the count needs more, the id is longer.
 */
export function deliveryIds(deliveryId: string): DeliveryIds {
  const [, time = '', tail = ''] = /^dlv-(.{0,10})(.*)$/.exec(deliveryId) ?? [];
  const made = new Map<IdPrefix, number>();
  return (event, maker) => ({
    next(prefix) {
      const count = made.get(prefix) ?? 0;
      made.set(prefix, count + 1);
      const place = count < 31 ? encode(count, 1) : `z${encode(count - 31, 4)}`;
      const name = `${deliveryId} ${event} ${maker} ${count}`;
      return `${prefix}-${time}${tail.slice(-2)}${place}${encode(fold(name), 3)}`;
    },
  });
}

/** FNV-1a, folded to 15 bits. */
function fold(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return ((hash >>> 15) ^ hash) & 0x7fff;
}

const randoms = new Uint32Array(64);
let nextRandom = 0;

/** By the global `crypto`, which loads on first use: `node:crypto` would cost each start 9 ms. Many at once, since each call costs 3 µs. */
function random(): number {
  if (nextRandom === 0) crypto.getRandomValues(randoms);
  const value = randoms[nextRandom] ?? 0;
  nextRandom = (nextRandom + 1) % randoms.length;
  return value;
}

/** What every id made at or after this moment sorts behind. */
export function idFloor(prefix: IdPrefix, ms: number): string {
  return `${prefix}-${encode(Math.max(0, ms), 10)}`;
}

function encode(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) {
    text = ALPHABET.charAt(rest % 32) + text;
  }
  return text;
}
