import { messageOf, usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { mistakeAt } from './mistake.ts';

/** A JSON object given as an option. Throws `usage` that shows the place of the mistake. */
export function objectOption(flag: string, text: string): JsonObject {
  const value = parse(flag, text);
  if (isJsonObject(value)) return value;
  throw usageError(`${flag}: expected a JSON object, such as '{"key": "value"}'`);
}

function parse(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = messageOf(error);
    const position = /at position (\d+)/.exec(message)?.[1];
    // V8 names no position only when the text ends too early.
    const index = position === undefined ? text.length : Number(position);
    const reason = message.replace(/(?: in JSON)? at position.*$|, (?:\.\.\.)?".*$/s, '');
    throw mistakeAt(flag, text, index, `not valid JSON: ${reason}`);
  }
}
