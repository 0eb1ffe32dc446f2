/** Runs work that shares a key one after the other, in the order in which it was asked for; without keys, at once. */
export type KeyLock = <T>(keys: readonly string[], work: () => Promise<T>) => Promise<T>;

export function createKeyLock(): KeyLock {
  const ends = new Map<string, Promise<unknown>>();
  return async (keys, work) => {
    if (keys.length === 0) return work();
    const before = keys.flatMap((key) => ends.get(key) ?? []);
    const run = Promise.allSettled(before).then(work);
    const end = run.catch(() => undefined);
    for (const key of keys) ends.set(key, end);
    try {
      return await run;
    } finally {
      for (const key of keys) if (ends.get(key) === end) ends.delete(key);
    }
  };
}
