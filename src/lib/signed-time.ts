import type { Verdict } from '../types.ts';
import { refused } from './signature.ts';

/** Slack and Standard Webhooks both name five minutes. */
const TOLERANCE_MS = 5 * 60_000;

/**
 * Adds the time to the verdict on a signature that covers it. `timestamp` is the header, epoch seconds; `now` is epoch
 * milliseconds. Only whole numbers count: `parseInt` would read `1700000000abc`. Both directions are bounded, or a
 * request that was signed for tomorrow could be sent again until then.
 */
export function checkSignedTime(signature: Verdict, timestamp: string | undefined, now: number): Verdict {
  if (!signature.ok && ['no_secret', 'signature_missing'].includes(signature.cause)) return signature;
  if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) {
    return refused('timestamp_invalid', 'the timestamp is missing or no whole number of seconds');
  }
  if (!signature.ok) return signature;
  return Math.abs(now - Number(timestamp) * 1000) > TOLERANCE_MS
    ? refused(
        'timestamp_outside_window',
        'the request was signed more than 5 minutes from now, by this clock',
      )
    : signature;
}
