/** Runs one piece of work after the other, in the order in which they were given; a failure does not stop the next. */
export function createSingleFile(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
