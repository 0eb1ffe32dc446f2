import { getPath } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { idAt, textAt } from '../kit/payload.ts';

/** A commit names its author; notes, issues and merge requests have an `author_id`, which may be the sender's. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  if (path[0] === 'commits' && path[1] !== undefined)
    return textAt(payload, 'commits', path[1], 'author', 'name');
  if (path[0] === 'commit') return textAt(payload, 'commit', 'author', 'name');
  const author = idAt(getPath(payload, path.slice(0, 1)), 'author_id');
  return author !== null && author === idAt(payload, 'user', 'id')
    ? textAt(payload, 'user', 'username')
    : null;
}
