import type { PipelineContext } from '../pipeline/context.ts';
import { forget, prune, type RetentionSettings } from '../pipeline/retention.ts';
import { removeOldRecords } from '../tasks/claude/old-records.ts';

/** Retention while serving. */
export interface Retention {
  /** Stops after the step that is under way. */
  close(): Promise<void>;
}

/** When it looks, in milliseconds. */
export interface RetentionPace {
  readonly first: number;
  readonly every: number;
}

/** What no time server corrects in one step, in milliseconds. */
const JUMP_MS = 60_000;

/** Not in the first moments: what a crash left is worked off first. */
const PACE: RetentionPace = { first: 30_000, every: 10 * 60_000 };

/**
 * Looks every ten minutes for what has become too old or too much. A look that fails is told, and made again. One is left
 * out when the clock has jumped since the last: what it says now may be wrong by years, and what is removed is gone.
 */
export function serveRetention(
  context: Pick<PipelineContext, 'store' | 'clock' | 'claude'>,
  settings: RetentionSettings,
  broken: (error: unknown) => void,
  { first, every }: RetentionPace = PACE,
): Retention {
  const stop = new AbortController();
  const ahead = () => context.clock.now() - performance.now();
  let lead = ahead();
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(begin, first);

  function begin(): void {
    running = look()
      .catch(broken)
      .then(() => {
        if (!stop.signal.aborted) timer = setTimeout(begin, every);
      });
  }

  async function look(): Promise<void> {
    const { store, clock, claude } = context;
    const former = lead;
    lead = ahead();
    if (Math.abs(lead - former) > JUMP_MS) return;
    const before = clock.now() - settings.age;
    await prune(context, { before, size: settings.size, stop: stop.signal });
    await forget(context, settings.age, stop.signal);
    if (claude.state.on) await removeOldRecords(claude.state.tasksDir, store, before);
  }

  return {
    async close() {
      stop.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
