import { setImmediate as turn } from 'node:timers/promises';
import { createPauses } from '../../lib/time-slicer.ts';

const SLICE = 8;

/** Works on many items that are waited for, a few at a time: all at once would run out of file handles. */
export async function inSlices<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += SLICE) {
    if (start > 0) await turn();
    await Promise.all(items.slice(start, start + SLICE).map(work));
  }
}

/**
 * Works on many items, one after the other, without leaving the thread: what the system has to do for a small file takes
 * less time than to go elsewhere for it. A sender who waits for an answer has a turn in between.
 */
export async function oneByOne<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => void,
): Promise<void> {
  const pause = createPauses();
  for (const [index, item] of items.entries()) {
    await pause();
    work(item, index);
  }
}
