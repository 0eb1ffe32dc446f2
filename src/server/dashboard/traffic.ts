import type { StoreReader } from '../../store/store.ts';
import { DELIVERY_STATUSES } from '../../types.ts';
import { iso } from '../../views.ts';

/** Steps of a plot at most. */
const MOST_STEPS = 1_500;

export type TrafficView = ReturnType<typeof trafficView>;

/** Length of the steps in which a span is drawn, in milliseconds: a minute, or whole minutes more. */
function stepOf(spanMs: number): number {
  return Math.max(1, Math.ceil(spanMs / MOST_STEPS / 60_000)) * 60_000;
}

/**
 * What came, how long the answers and the outcomes took, what waited meanwhile, and what runs cost, from stored rows. Lists of
 * numbers, one for each step of time.
 */
export function trafficView(
  store: Pick<StoreReader, 'received' | 'settlings' | 'answerTimes' | 'costs'>,
  {
    since,
    until,
    owner,
  }: { readonly since: number; readonly until: number; readonly owner?: string | undefined },
) {
  const step = stepOf(until - since);
  const start = Math.floor(since / step) * step;
  const count = Math.floor((until - start) / step) + 1;
  const zeros = () => new Array<number>(count).fill(0);
  const at = (ms: number) => Math.floor((ms - start) / step);
  const received = Object.fromEntries(DELIVERY_STATUSES.map((status) => [status, zeros()]));
  for (const row of store.received(start, step, owner)) {
    const list = received[row.status];
    const index = at(row.at);
    if (list !== undefined && index >= 0) list[index] = (list[index] ?? 0) + row.count;
  }
  const times = Array.from({ length: count }, (): number[] => []);
  const waiting = zeros();
  for (const { receivedAt, settledAt } of store.settlings(start, MOST_SETTLINGS, owner)) {
    const [from, to] = [at(receivedAt), at(settledAt ?? until)];
    if (settledAt !== null) times[to]?.push(settledAt - receivedAt);
    // It waited at the end of each step between.
    for (let index = Math.max(0, from); index < Math.min(to, count); index += 1)
      waiting[index] = (waiting[index] ?? 0) + 1;
  }
  const answers = times.map(() => new Map<number, number>());
  // They are counted for the whole server.
  for (const row of owner === undefined ? store.answerTimes(start) : []) {
    const counts = answers[at(row.at)];
    for (const [bound, count] of Object.entries(row.counts))
      counts?.set(Number(bound), (counts.get(Number(bound)) ?? 0) + count);
  }
  const answerRank = (part: number) => answers.map((counts) => quantile(counts, part));
  const rank = (part: number) => times.map((list) => ranked(list, part));
  return {
    since: iso(start),
    step_ms: step,
    steps: count,
    received,
    ack_ms: { median: answerRank(0.5), p95: answerRank(0.95) },
    settle_ms: { median: rank(0.5), p95: rank(0.95) },
    waiting,
    costs: store.costs(start, owner).map(({ day, agent, runs, usd }) => ({ day, agent, runs, usd })),
  };
}

/** Deliveries whose times are looked at, the newest first. */
const MOST_SETTLINGS = 20_000;

function ranked(list: readonly number[], part: number): number | null {
  const sorted = list.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
}

/** Of counts by upper bound, in milliseconds; within a bound the values are taken to be even. */
function quantile(counts: ReadonlyMap<number, number>, part: number): number | null {
  const sorted = [...counts].toSorted(([left], [right]) => left - right);
  let left = sorted.reduce((sum, [, count]) => sum + count, 0) * part;
  let below = 0;
  for (const [bound, count] of sorted) {
    if (left <= count && count > 0)
      return Number.isFinite(bound) ? below + ((bound - below) * left) / count : below;
    left -= count;
    below = bound;
  }
  return null;
}
