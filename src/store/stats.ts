import type { Delivery, DeliveryStatus } from '../types.ts';

/** By what statistics are grouped. */
export const STATS_BY = ['webhook', 'command', 'agent', 'owner', 'variant'] as const;

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
  readonly owner?: string | undefined;
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

/** Deliveries of one status that came within one step of time. */
interface ReceivedInStep {
  /** When the step begins, epoch milliseconds. */
  readonly at: number;
  readonly status: DeliveryStatus;
  readonly count: number;
}

/** Reads over many rows at once. */
export interface StatsReader {
  /** By name, then by time. */
  stats(filter: StatsFilter): readonly Stat[];
  /** How many deliveries came in each step of time since then, by status. */
  received(since: number, stepMs: number, owner?: string): readonly ReceivedInStep[];
  /** When the newest deliveries since then came and were settled, at most `limit`. */
  settlings(
    since: number,
    limit: number,
    owner?: string,
  ): readonly Pick<Delivery, 'receivedAt' | 'settledAt'>[];
  /** Deliveries and tasks of every owner but the operator, by name. */
  countsByOwner(): readonly {
    readonly owner: string;
    readonly deliveries: number;
    readonly tasks: number;
  }[];
}
