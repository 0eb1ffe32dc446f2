import type { Verdict } from '../../types.ts';
import { refused } from './signature.ts';

/** How a sender writes the moment of signing: whole seconds or milliseconds since 1970, or ISO 8601. */
export type TimeUnit = 's' | 'ms' | 'iso';

interface SignedTime {
  /** Default `s`. */
  readonly unit: TimeUnit;
  /** How far from now in either direction, in milliseconds. Slack and Standard Webhooks both name five minutes. */
  readonly toleranceMs: number;
}

const USUAL: SignedTime = { unit: 's', toleranceMs: 5 * 60_000 };

const WORDS = { s: 'whole number of seconds', ms: 'whole number of milliseconds', iso: 'time in ISO 8601' };

/**
 * Adds the time to the verdict on a signature that covers it. `timestamp` is as it came; `now` is epoch milliseconds.
 * Only whole numbers count: `parseInt` would read `1700000000abc`. Both directions are bounded, or a request that was
 * signed for tomorrow could be sent again until then.
 */
export function checkSignedTime(
  signature: Verdict,
  timestamp: string | undefined,
  now: number,
  { unit, toleranceMs }: SignedTime = USUAL,
): Verdict {
  if (!signature.ok && ['no_secret', 'signature_missing'].includes(signature.cause)) return signature;
  const signedAt = timestamp === undefined ? null : epochOf(timestamp, unit);
  if (signedAt === null) {
    return refused('timestamp_invalid', `the timestamp is missing or no ${WORDS[unit]}`);
  }
  if (!signature.ok) return signature;
  return Math.abs(now - signedAt) > toleranceMs
    ? refused(
        'timestamp_outside_window',
        `the request was signed more than ${inWords(toleranceMs)} from now, by this clock`,
      )
    : signature;
}

/** Epoch milliseconds of a time as a sender writes it; null when the text is not a time. */
function epochOf(text: string, unit: TimeUnit): number | null {
  if (unit === 'iso') {
    const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
    const epoch = isTime ? Date.parse(text) : Number.NaN;
    return Number.isNaN(epoch) ? null : epoch;
  }
  if (!/^\d{1,15}$/.test(text)) return null;
  return unit === 's' ? Number(text) * 1000 : Number(text);
}

/** A moment as a sender would write it. */
export function timeText(moment: Date, unit: TimeUnit): string {
  if (unit === 'iso') return moment.toISOString();
  return String(unit === 's' ? Math.floor(moment.getTime() / 1000) : moment.getTime());
}

function inWords(ms: number): string {
  const [amount, unit] = ms % 60_000 === 0 ? [ms / 60_000, 'minute'] : [ms / 1000, 'second'];
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
