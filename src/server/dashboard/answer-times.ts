import type { AnswerTimesWriter } from '../../store/answer-times.ts';
import type { Metrics } from '../metrics.ts';

/** Short, because a process that is killed loses so much of the plot, in milliseconds. */
const EVERY_MS = 10_000;
const MINUTE_MS = 60_000;

interface AnswerTimesOptions {
  readonly store: AnswerTimesWriter;
  readonly now: () => number;
  readonly times: Metrics['ack'];
  readonly broken: (error: unknown) => void;
  readonly everyMs?: number;
}

/** Writes how long answers took into rows, so that a plot of them outlives the process. Requests cost nothing more. */
export function recordAnswerTimes(options: AnswerTimesOptions): { readonly close: () => Promise<void> } {
  const { store, now, times, broken, everyMs = EVERY_MS } = options;
  let before = times.cumulative();
  const write = async () => {
    const after = times.cumulative();
    const counts: Record<string, number> = {};
    let [below, belowBefore] = [0, 0];
    for (const [index, { bound, count }] of after.entries()) {
      const known = before[index]?.count ?? 0;
      const more = count - below - (known - belowBefore);
      if (more > 0) counts[bound * 1_000] = more;
      [below, belowBefore] = [count, known];
    }
    before = after;
    if (below === belowBefore) return;
    await store.noteAnswers({ at: Math.floor(now() / MINUTE_MS) * MINUTE_MS, counts });
  };
  const timer = setInterval(() => void write().catch(broken), everyMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await write().catch(broken);
    },
  };
}
