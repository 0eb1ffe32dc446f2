import { InvalidArgumentError } from 'commander';
import { usageError } from '../../errors.ts';
import { duration } from '../../lib/units.ts';

/** Parses a point in time: a date, or an age. Throws `usage`. */
export function moment(option: string, text: string, now: number): number {
  const ago = duration.safeParse(text);
  if (ago.success) return now - ago.data;
  // Date.parse() reads a bare date as UTC; a person means local midnight.
  const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(at)) return at;
  throw usageError(
    `${option} ${text} is not a time`,
    'Write how long ago (2h, 7d) or when (2026-01-31, 2026-01-31T12:00:00Z).',
  );
}

const LONGEST_PATIENCE_MS = 3_600_000;

/** How long a command waits for somebody: milliseconds, at most an hour. */
export function patience(text: string): number {
  const parsed = duration.safeParse(text);
  if (parsed.success && parsed.data <= LONGEST_PATIENCE_MS) return parsed.data;
  throw new InvalidArgumentError('It must be a number and s, m or h, at most 1h, such as 10m.');
}
