import type { JsonObject, JsonValue } from '../../src/types.ts';

/** A payload with a change merged in at any depth; lists are replaced. */
export function merged(payload: JsonObject, change: JsonObject): JsonObject {
  const entries = Object.entries(change).map(([key, value]) => {
    const before = payload[key];
    return [key, isObject(before) && isObject(value) ? merged(before, value) : value];
  });
  return { ...payload, ...Object.fromEntries(entries) };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
