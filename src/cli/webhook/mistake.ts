import { type HookctlError, usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import { readJsonText } from '../../lib/json-syntax.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { JsonObject } from '../../types.ts';

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

/** A JSON object given as an option. Throws `usage` that shows the place of the mistake. */
export function objectOption(flag: string, text: string): JsonObject {
  const read = readJsonText(text);
  if (!read.ok) throw mistakeAt(flag, text, read.offset, `not valid JSON: ${read.message}`);
  if (isJsonObject(read.value)) return read.value;
  throw usageError(`${flag}: expected a JSON object, such as '{"key": "value"}'`);
}
