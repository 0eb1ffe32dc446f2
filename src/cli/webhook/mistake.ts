import { type HookctlError, usageError } from '../../errors.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';

/** Characters of a long value that are shown on each side of the mistake, to fit one line. */
const AROUND = 35;

/**
 * An error that points at the mistake inside an option's value:
 *
 *     --when, character 13: expected one of != >= <= = > < ~ after the field
 *       issue.labels bug
 *                    ^
 */
export function mistakeAt(flag: string, text: string, index: number, message: string): HookctlError {
  const start = Math.max(0, index - AROUND);
  const before = escapeInvisibleLine(`|${text.slice(start, index)}|`).slice(1, -1);
  const after = escapeInvisibleLine(`|${text.slice(index, index + AROUND)}|`).slice(1, -1);
  return usageError(
    `${flag}, character ${index + 1}: ${message}\n  ${before}${after}\n  ${' '.repeat(before.length)}^`,
  );
}
