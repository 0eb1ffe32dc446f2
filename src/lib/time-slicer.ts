import { setImmediate as turn } from 'node:timers/promises';

/** In milliseconds, from any beginning. */
type Clock = () => number;

const monotonic: Clock = () => performance.now();

/** Runs work later, one piece after the other. */
type TimeSlicer = (work: () => void) => void;

/** In milliseconds. A turn of the thread that is over sooner costs more than it brings: the system is asked between two. */
const TURN_MS = 1.5;
/** At most, in milliseconds: an answer may wait for it. */
const LONGEST_TURN_MS = 20;
/** How much longer work in the background may take than what came before it: a delivery costs more than its answer. */
const SHARE = 2;

/** What all work in the background has taken together, in milliseconds. */
let backgroundMs = 0;

/**
 * Measures the turns of one kind of background work: as long as all that is no such work took since the last one, times `SHARE`.
 * So requests that come one by one wait for no long turn, and under load the background keeps up with what is accepted.
 */
function createTurns(now: Clock): {
  readonly begin: () => void;
  readonly isOver: () => boolean;
  readonly end: () => void;
} {
  let begunAt = now();
  let endedAt = begunAt;
  let takenByAll = backgroundMs;
  let endsAt = 0;
  return {
    begin() {
      begunAt = now();
      const others = begunAt - endedAt - (backgroundMs - takenByAll);
      endsAt = begunAt + Math.min(LONGEST_TURN_MS, Math.max(TURN_MS, SHARE * others));
    },
    isOver: () => now() >= endsAt,
    end() {
      endedAt = now();
      backgroundMs += endedAt - begunAt;
      takenByAll = backgroundMs;
    },
  };
}

/**
 * For work that comes in many small pieces and may wait, on a thread on which others may not: pieces run in the order
 * in which they came, and when their turn is over, everything else is done first. What a piece sets off by resolving a
 * promise counts as part of it.
 */
export function timeSlicer(now = monotonic): TimeSlicer {
  const pieces: (() => void)[] = [];
  const turns = createTurns(now);
  let isUnderWay = false;

  function next(): void {
    pieces.shift()?.();
    // A microtask, so that what the piece set off is done before the clock is looked at.
    queueMicrotask(goOn);
  }

  function goOn(): void {
    isUnderWay = pieces.length > 0;
    if (isUnderWay && !turns.isOver()) {
      next();
    } else {
      turns.end();
      if (isUnderWay) setImmediate(begin);
    }
  }

  function begin(): void {
    turns.begin();
    next();
  }

  return (work) => {
    pieces.push(work);
    if (isUnderWay) return;
    isUnderWay = true;
    setImmediate(begin);
  };
}

/** The same for a loop that must stay one: awaited before each of its pieces, it lets everything else be done when its turn is over. */
export function createPauses(now = monotonic): () => Promise<void> {
  const turns = createTurns(now);
  turns.begin();
  return async () => {
    if (!turns.isOver()) return;
    turns.end();
    await turn();
    turns.begin();
  };
}

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
