import type { PipelineContext } from '../deliveries/context.ts';
import { agedBodies, forget, prune, type RetentionSettings } from '../deliveries/retention.ts';
import { SEGMENT_BYTES } from '../store/local/log/segments.ts';
import { removeOldRecords } from '../tasks/claude/record.ts';

/** Retention while serving. */
export interface Retention {
  /** So many bytes came into the log; looks at once when they fill a segment, or an eighth of what may be kept. */
  stored(bytes: number): void;
  /** Stops after the step that is under way. */
  close(): Promise<void>;
}

/** When it looks, in milliseconds. */
interface RetentionPace {
  readonly first: number;
  readonly every: number;
}

/** What no time server corrects in one step, in milliseconds. */
const JUMP_MS = 60_000;

/** Rows of deliveries that are kept at most; a million takes about a gigabyte. */
const MOST_ROWS = 1_000_000;

/** Not in the first moments: what a crash left is worked off first. */
const PACE: RetentionPace = { first: 30_000, every: 10 * 60_000 };

/**
 * Removes what is too old or too much: every ten minutes, and whenever a segment's worth of bytes came. A look that fails
 * is reported and repeated. A look is skipped when the clock has jumped since the last one: it may be wrong by years, and
 * what is removed is gone.
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
  const enough = Math.min(SEGMENT_BYTES, settings.size / 8);
  let unseen = 0;
  let isLooking = false;

  function begin(): void {
    clearTimeout(timer);
    isLooking = true;
    unseen = 0;
    running = look()
      .catch(broken)
      .then(() => {
        isLooking = false;
        if (!stop.signal.aborted) timer = setTimeout(begin, unseen > enough ? 0 : every);
      });
  }

  async function look(): Promise<void> {
    const { store, clock, claude } = context;
    const former = lead;
    lead = ahead();
    if (Math.abs(lead - former) > JUMP_MS) return;
    const oldest = store.receivedAtRank(settings.rows ?? MOST_ROWS) ?? 0;
    const before = Math.max(clock.now() - settings.age, oldest);
    const filters = agedBodies(settings, clock.now(), oldest);
    await prune(context, filters, { size: settings.size, stop: stop.signal });
    await forget(context, settings, stop.signal, oldest);
    if (claude.state.on) await removeOldRecords(claude.state.tasksDir, store, before);
  }

  return {
    stored(bytes) {
      unseen += bytes;
      if (unseen > enough && !isLooking && !stop.signal.aborted) begin();
    },
    async close() {
      stop.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
