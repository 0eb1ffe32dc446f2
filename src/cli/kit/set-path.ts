import { usageError } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../types.ts';

/**
 * A copy of the payload with one field changed: `issue.labels.0.name=bug`. Values that are JSON are taken as JSON,
 * others as text. Throws `usage` when there is no `=`, or when the path leads through something that has no fields.
 */
export function setPath(payload: JsonObject, assignment: string): JsonObject {
  const at = assignment.indexOf('=');
  if (at < 1)
    throw usageError(
      `--set ${assignment} has no \`=\``,
      'Write it as path=value: --set issue.title="Crash".',
    );
  const path = assignment.slice(0, at).split('.');
  return put(payload, path, jsonOrText(assignment.slice(at + 1)), assignment) as JsonObject;
}

function put(
  target: JsonValue | undefined,
  path: readonly string[],
  value: JsonValue,
  assignment: string,
): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (target !== undefined && (typeof target !== 'object' || target === null)) {
    throw usageError(`--set ${assignment}: \`${key}\` lies in something that has no fields`);
  }
  if (Array.isArray(target)) {
    return target.toSpliced(Number(key), 1, put(target[Number(key)], rest, value, assignment));
  }
  const object = (target ?? {}) as JsonObject;
  return { ...object, [key]: put(object[key], rest, value, assignment) };
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
