import { setTimeout as delay } from 'node:timers/promises';

/** Time as a parameter. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds; it doubles with each attempt. */
  readonly baseMs: number;
  /** Upper bound of every wait, in milliseconds. */
  readonly capMs: number;
  /** `Math.random` or its like: 0 ≤ x < 1. */
  readonly random: () => number;
}

/**
 * How long to wait before the next try, in whole milliseconds: anything between 0 and `min(cap, base · 2^attempt)`.
 * The whole range is random ("full jitter"), or all who lost the same server would come back in the same moment.
 * `attempt` counts from 0.
 */
export function fullJitter(attempt: number, { baseMs, capMs, random }: BackoffOptions): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));
}

/** Waits; true when the time has passed, false when the signal ended it. Leaves no timer and no listener. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
