import { setImmediate as turn } from 'node:timers/promises';

const SLICE = 32;

/**
 * Works on many items, a few at a time: all at once would run out of file handles, one by one of patience. Between
 * two slices everything else has its turn, because small files are read and written without leaving the thread.
 */
export async function inSlices<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void> | void,
): Promise<void> {
  for (let start = 0; start < items.length; start += SLICE) {
    if (start > 0) await turn();
    await Promise.all(items.slice(start, start + SLICE).map(work));
  }
}
