import type { JsonObject } from '../../types.ts';
import { textAt } from '../kit/payload.ts';

/** A comment is its actor's. All else is what the watched application said, which nobody on Sentry wrote. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  return path[0] === 'data' && path[1] === 'comment' ? textAt(payload, 'actor', 'name') : null;
}
