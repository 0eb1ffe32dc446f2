import type { Headers } from '../types.ts';

/** Whoever asks for more is asked again after this. */
const LONGEST_MS = 3_600_000;

/**
 * How long an answer asks to wait (RFC 9110, `Retry-After`): seconds or a date, in milliseconds from `now`, at most an
 * hour. Null when it does not ask, or asks for what is past or no time.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const value = headers['retry-after']?.trim() ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(wait) && wait > 0 ? Math.min(wait, LONGEST_MS) : null;
}
