import { usageError } from '../../errors.ts';
import type { JsonValue } from '../../types.ts';

/** A number stays text: settings of providers take `60` as well as 60, and an id of digits is no number. */
const JSON_VALUE = /^(?:[[{"]|(?:true|false|null)$)/;

/** `name=value` of an `--option`. Lists, objects and true or false are taken as JSON. Throws `usage`. */
export function setting(text: string): readonly [name: string, value: JsonValue] {
  const at = text.indexOf('=');
  if (at < 1)
    throw usageError(`--option ${text} has no \`=\``, 'Write it as name=value: --option header=x-signature');
  const value = text.slice(at + 1);
  return [text.slice(0, at), JSON_VALUE.test(value) ? parsed(value) : value];
}

function parsed(value: string): JsonValue {
  try {
    return JSON.parse(value) as JsonValue;
  } catch {
    return value;
  }
}
