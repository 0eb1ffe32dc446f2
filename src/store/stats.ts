/** By what statistics are grouped. */
export const STATS_BY = ['webhook', 'command', 'agent', 'variant'] as const;

/** Steps of time in one answer: more rows of each group tell a person nothing. */
export const MOST_STEPS = 1_000;

export interface StatsFilter {
  readonly by: (typeof STATS_BY)[number];
  /** Epoch milliseconds: what came or was made then or later. */
  readonly since: number;
  /** Then or earlier. */
  readonly until: number;
  /** Only of this webhook. */
  readonly webhook?: string | undefined;
  /** Milliseconds of one step of time. Left out: the whole time is one. */
  readonly stepMs?: number | undefined;
}

/** What came and what became of it, of one group in one step of time. Samples do not count. */
export interface Stat {
  /** Commands and variants with their webhook: `github/analyze`. Null for tasks that no webhook made. */
  readonly name: string | null;
  /** When the step begins, epoch milliseconds. */
  readonly at: number;
  /** By command, those on which it fired; null by agent, which receives none. */
  readonly deliveries: number | null;
  /** Deliveries that did something. */
  readonly processed: number | null;
  /** Deliveries that failed. */
  readonly undone: number | null;
  /** Milliseconds from receipt to outcome; null when nothing was settled. */
  readonly settleMs: number | null;
  readonly settleP95Ms: number | null;
  readonly tasks: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** The median of the milliseconds from a task's making to its end; null when none ended. */
  readonly taskMs: number | null;
  readonly taskP95Ms: number | null;
  /** Of tasks whose cost is known. */
  readonly costUsd: number;
  readonly knownCosts: number;
}

/** Reads over many rows at once. */
export interface StatsReader {
  /** By name, then by time. */
  stats(filter: StatsFilter): readonly Stat[];
}
