import { setImmediate as turn } from 'node:timers/promises';

/** Runs work later, one piece after the other. */
type TimeSlicer = (work: () => void) => void;

/** In milliseconds. A turn of the thread that is over sooner costs more than it brings: the system is asked between two. */
const TURN_MS = 1.5;

/**
 * For work that comes in many small pieces and may wait, on a thread on which others may not: pieces run in the order
 * in which they came, and as soon as they have taken some milliseconds, everything else has its turn. What a piece
 * sets off by resolving a promise counts as part of it.
 */
export function timeSlicer(turnMs = TURN_MS): TimeSlicer {
  const pieces: (() => void)[] = [];
  let endsAt = 0;
  let isUnderWay = false;

  function next(): void {
    pieces.shift()?.();
    isUnderWay = pieces.length > 0;
    if (isUnderWay) goOn();
  }

  function goOn(): void {
    // A microtask, so that what the last piece set off is done before the clock is looked at.
    if (performance.now() < endsAt) queueMicrotask(next);
    else setImmediate(begin);
  }

  function begin(): void {
    endsAt = performance.now() + turnMs;
    next();
  }

  return (work) => {
    pieces.push(work);
    if (isUnderWay) return;
    isUnderWay = true;
    goOn();
  };
}

/**
 * The same for a loop that must stay one: awaited before each of its pieces, it lets everything else have its turn as
 * soon as the pieces have taken some milliseconds.
 */
export function createPauses(turnMs = TURN_MS): () => Promise<void> {
  let endsAt = performance.now() + turnMs;
  return async () => {
    if (performance.now() < endsAt) return;
    await turn();
    endsAt = performance.now() + turnMs;
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
