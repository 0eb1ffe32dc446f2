/** Crockford's alphabet in lower case: no i, l, o, u, so an id can be read aloud. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

type IdPrefix = 'dlv' | 'task' | 'conv' | 'wh' | 'cmd' | 'out' | 'run';

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

/** By the global `crypto`, which loads on first use: `node:crypto` would cost each start 9 ms. */
function random(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
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
