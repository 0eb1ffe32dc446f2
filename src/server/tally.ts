/** Counts by labels, and times by size: cheap enough for every request, read when somebody asks. */

/** How often something happened, by a key of labels. */
interface Counts {
  add(...labels: readonly string[]): void;
  /** Forgets what is counted under labels that are no longer wanted. */
  keepOnly(wanted: (...labels: readonly string[]) => boolean): void;
  entries(): readonly { readonly labels: readonly string[]; readonly count: number }[];
}

/** How long something took. */
export interface Times {
  /** Seconds. */
  observe(seconds: number): void;
  /** For each bound how many took at most so long; the last one counts all. */
  cumulative(): readonly { readonly bound: number; readonly count: number }[];
  sum(): number;
}

/** The first label of keys beyond the limit, which share one count. */
export const OTHER = 'other';

/** `maxKeys`: how many keys have a count of their own; later ones are counted under `OTHER`. */
export function createCounts(maxKeys: number): Counts {
  const counts = new Map<string, number>();
  return {
    add(...labels) {
      let key = labels.join(SEPARATOR);
      if (!counts.has(key) && counts.size >= maxKeys) key = [OTHER, ...labels.slice(1)].join(SEPARATOR);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    keepOnly(wanted) {
      for (const key of counts.keys()) if (!wanted(...key.split(SEPARATOR))) counts.delete(key);
    },
    entries: () => [...counts].map(([key, count]) => ({ labels: key.split(SEPARATOR), count })),
  };
}

/** No name holds it: `schema.ts` refuses control characters. */
const SEPARATOR = '\n';

/** From half a millisecond to half a minute. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export function createTimes(): Times {
  const counts = new Float64Array(BOUNDS.length + 1);
  let total = 0;
  return {
    observe(seconds) {
      let at = 0;
      while (at < BOUNDS.length && seconds > (BOUNDS[at] ?? 0)) at += 1;
      counts[at] = (counts[at] ?? 0) + 1;
      total += seconds;
    },
    cumulative() {
      let count = 0;
      return [...BOUNDS, Number.POSITIVE_INFINITY].map((bound, index) => {
        count += counts[index] ?? 0;
        return { bound, count };
      });
    },
    sum: () => total,
  };
}
