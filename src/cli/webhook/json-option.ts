import { usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import { readJsonText } from '../../lib/json-syntax.ts';
import type { JsonObject } from '../../types.ts';
import { mistakeAt } from './mistake.ts';

/** A JSON object given as an option. Throws `usage` that shows the place of the mistake. */
export function objectOption(flag: string, text: string): JsonObject {
  const read = readJsonText(text);
  if (!read.ok) throw mistakeAt(flag, text, read.offset, `not valid JSON: ${read.message}`);
  if (isJsonObject(read.value)) return read.value;
  throw usageError(`${flag}: expected a JSON object, such as '{"key": "value"}'`);
}
