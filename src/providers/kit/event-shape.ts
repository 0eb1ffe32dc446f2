import type { JsonObject } from '../../types.ts';
import { hasValue } from './payload.ts';

/** Which keys belong to which events, where the name of the event is outside the signature. */
interface EventShapes {
  /** Keys without which a payload is not of its event. Events that are not listed are the sender's to add, and pass. */
  readonly required: Readonly<Record<string, readonly string[]>>;
  /** Keys that only these events carry: a comment posted as `issues` would otherwise pass for an issue. */
  readonly exclusive: Readonly<Record<string, readonly string[]>>;
  /** Required keys that may be null. */
  readonly nullable?: readonly string[];
}

/**
 * Why a payload cannot be of the event that its header names; null when it fits. Without this check a captured body could be sent
 * again as another event and match other commands.
 */
export function shapeMismatch(
  { required, exclusive, nullable = [] }: EventShapes,
  event: string,
  payload: JsonObject,
): string | null {
  // Own keys only: `constructor` is a name that a header can carry.
  if (!Object.hasOwn(required, event)) return null;
  const isThere = (key: string) =>
    nullable.includes(key) ? Object.hasOwn(payload, key) : hasValue(payload, key);
  const missing = required[event]?.find((key) => !isThere(key));
  if (missing !== undefined) return `the header says ${event}, but the payload has no \`${missing}\``;
  const alien = Object.keys(exclusive).find(
    (key) => hasValue(payload, key) && exclusive[key]?.includes(event) === false,
  );
  return alien === undefined ? null : `the header says ${event}, but the payload has a \`${alien}\``;
}
