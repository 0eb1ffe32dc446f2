const SLICE = 32;

/** Works on many items, a few at a time: all at once would run out of file handles, one by one of patience. */
export async function inSlices<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += SLICE) {
    await Promise.all(items.slice(start, start + SLICE).map(work));
  }
}
