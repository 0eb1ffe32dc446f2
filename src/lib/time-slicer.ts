import { setImmediate as turn } from 'node:timers/promises';

/** In milliseconds, from any beginning. */
type Clock = () => number;

const monotonic: Clock = () => performance.now();

/** What this thread has worked: another thread on the same core does not count. Node 22 only knows the time of the clock. */
const worked: Clock =
  process.threadCpuUsage === undefined
    ? monotonic
    : () => {
        const { user, system } = process.threadCpuUsage();
        return (user + system) / 1_000;
      };

/** Runs work later, one piece after the other. */
type TimeSlicer = (work: () => void) => void;

/** In milliseconds. A turn of the thread that is over sooner costs more than it brings: the system is asked between two. */
const TURN_MS = 1.5;
/** At most, in milliseconds: an answer may wait for it. */
const LONGEST_TURN_MS = 30;
/** What comes before a turn and takes no longer, in milliseconds, is no load: single requests. */
const LIGHT_MS = 1;
/** How much longer work in the background may take than what came before it: a delivery costs more than its answer. */
const SHARE = 6;

/** Work in the background of one thread, which shares its turns: however many kinds of it wait, an answer waits for one turn. */
interface Background {
  /**
   * For work that comes in many small pieces and may wait, on a thread on which others may not: pieces run in the order
   * in which they came, and when the turn is over, everything else is done first. What a piece sets off by resolving a
   * promise counts as part of it.
   */
  timeSlicer(): TimeSlicer;
  /** The same for a loop that must stay one: awaited before each of its pieces, it lets everything else be done when the turn is over. */
  createPauses(): () => Promise<void>;
}

/**
 * A turn is short, or `SHARE` times as long as all that is no such work took since the last one. So requests that come one by one
 * wait for no long turn, and under load the background keeps up with what is accepted.
 */
export function createBackground(now = monotonic, worked = now): Background {
  /** Null between two turns. */
  let endsAt: number | null = null;
  let workedBefore = 0;
  /** Kinds of work that were interrupted and wait for the next turn. */
  let interrupted = 0;

  function begin(): void {
    if (endsAt !== null) return;
    const others = interrupted > 0 ? worked() - workedBefore : 0;
    endsAt = now() + Math.min(LONGEST_TURN_MS, Math.max(TURN_MS, SHARE * (others - LIGHT_MS)));
    setImmediate(() => {
      endsAt = null;
    });
  }

  const isOver = () => endsAt === null || now() >= endsAt;

  function interrupt(): void {
    workedBefore = worked();
    interrupted += 1;
  }

  function resume(): void {
    begin();
    interrupted -= 1;
  }

  return {
    timeSlicer() {
      const pieces: (() => void)[] = [];
      let isUnderWay = false;

      function next(): void {
        pieces.shift()?.();
        // Behind all microtasks: what the piece set off is done before the clock is looked at, and may have brought more pieces.
        queueMicrotask(() => process.nextTick(goOn));
      }

      function goOn(): void {
        isUnderWay = pieces.length > 0;
        if (isUnderWay && !isOver()) {
          next();
        } else if (isUnderWay) {
          interrupt();
          setImmediate(() => {
            resume();
            next();
          });
        }
      }

      return (work) => {
        pieces.push(work);
        if (isUnderWay) return;
        isUnderWay = true;
        setImmediate(() => {
          begin();
          next();
        });
      };
    },

    createPauses() {
      begin();
      return async () => {
        if (!isOver()) return;
        interrupt();
        await turn();
        resume();
      };
    },
  };
}

export const { timeSlicer, createPauses } = createBackground(monotonic, worked);

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
