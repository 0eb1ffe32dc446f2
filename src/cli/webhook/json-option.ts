import { layoutOf } from '../../config/dynamic/json-text.ts';
import { usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { mistakeAt } from './mistake.ts';

/** A JSON object given as an option. Throws `usage` that shows the place of the mistake. */
export function objectOption(flag: string, text: string): JsonObject {
  const layout = layoutOf(text);
  if (!layout.ok) throw mistakeAt(flag, text, layout.offset, `not valid JSON: ${layout.message}`);
  const value: unknown = JSON.parse(text);
  if (isJsonObject(value)) return value;
  throw usageError(`${flag}: expected a JSON object, such as '{"key": "value"}'`);
}
