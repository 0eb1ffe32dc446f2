import { getPath } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';

/** The login of the nearest `user` (comment, issue, review) or `author` (commit, release) above the value. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const place = path.slice(0, depth);
    for (const key of ['user', 'author']) {
      const login = getPath(payload, [...place, key, 'login']);
      if (typeof login === 'string') return login;
    }
  }
  return null;
}
