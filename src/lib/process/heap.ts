import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const MB = 1024 * 1024;
/** Bytes to which new objects may fill up before they are collected. A collection of twice as many holds up answers for longer. */
const MOST_NEW_BYTES = 16 * MB;
/** By how much the heap may grow, in percent of what lives, before all of it is collected. */
const GROWTH_PERCENT = 100;
/** From so many bytes on V8 decides by itself: a collection of everything costs more than the memory is worth. */
const LARGE_HEAP_BYTES = 256 * MB;
const LOOK_MS = 1_000;

/**
 * Keeps the heap of a process that runs for long near what lives in it, which costs some CPU time under load. V8 by itself lets new
 * objects fill 128 MB, so that one collection can take 30 ms, and lets the rest grow to several times what lives. The options of
 * the command line for this would need a second start of Node; these flags are read by V8 each time it is about to let the heap
 * grow, which is looked at each `lookMs` milliseconds. Returns what ends it.
 */
export function boundHeap(lookMs = LOOK_MS): () => void {
  // V8 has no upper bound that can be changed later: it doubles the space of new objects, or keeps it as it is.
  let mayGrow = true;
  let isLarge: boolean | null = null;
  const look = () => {
    const spaces = getHeapSpaceStatistics();
    const newBytes = spaces.find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
    const bytes = spaces.reduce((sum, { space_used_size: used }) => sum + used, 0);
    if (newBytes < MOST_NEW_BYTES !== mayGrow) {
      mayGrow = !mayGrow;
      setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
    }
    if (bytes > LARGE_HEAP_BYTES !== isLarge) {
      isLarge = bytes > LARGE_HEAP_BYTES;
      setFlagsFromString(`--heap-growing-percent=${isLarge ? 0 : GROWTH_PERCENT}`);
    }
  };
  look();
  const timer = setInterval(look, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
