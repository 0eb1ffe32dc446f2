/**
 * Puts work off to the end of this turn of the event loop, where it is done once, however often it was asked for.
 */
export function coalesce(work: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setImmediate(() => {
      due = false;
      work();
    });
  };
}
