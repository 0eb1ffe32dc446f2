/** Remembers keys in two bytes each (a Bloom filter): it may take a key for one that was added, never the other way round. */
interface KeyFilter {
  add(key: string): void;
  /** False when the key was certainly never added. */
  mayHave(key: string): boolean;
}

/** One of these many keys is mistaken for one that was added, of 400. */
const BITS_PER_KEY = 16;
const PROBES = 4;
/** Keys of the first layer; each further one holds twice as many as the last. */
const FIRST_KEYS = 32 * 1024;

interface Layer {
  readonly words: Uint32Array;
  readonly lastBit: number;
  /** Keys that it still takes. */
  room: number;
}

export function createKeyFilter(): KeyFilter {
  const layers: Layer[] = [layerFor(FIRST_KEYS)];
  return {
    add(key) {
      let layer = layers.at(-1) ?? layerFor(FIRST_KEYS);
      if (layer.room === 0) {
        layer = layerFor(((layer.lastBit + 1) / BITS_PER_KEY) * 2);
        layers.push(layer);
      }
      layer.room -= 1;
      const [place, step] = hashesOf(key);
      for (let probe = 0; probe < PROBES; probe += 1) {
        const bit = (place + Math.imul(probe, step)) & layer.lastBit;
        layer.words[bit >>> 5] = (layer.words[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    },
    mayHave(key) {
      const hashes = hashesOf(key);
      return layers.some((layer) => holds(layer, hashes));
    },
  };
}

function layerFor(keys: number): Layer {
  const bits = keys * BITS_PER_KEY;
  return { words: new Uint32Array(bits / 32), lastBit: bits - 1, room: keys };
}

function holds({ words, lastBit }: Layer, [place, step]: readonly [number, number]): boolean {
  for (let probe = 0; probe < PROBES; probe += 1) {
    const bit = (place + Math.imul(probe, step)) & lastBit;
    if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** Two hashes in one pass: FNV-1a, and a second with another factor, odd, so that its multiples differ. */
function hashesOf(key: string): readonly [number, number] {
  let first = 0x811c9dc5;
  let second = 0x9e3779b1;
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x85ebca6b) ^ (second >>> 15);
  }
  return [first ^ (first >>> 16), second | 1];
}
