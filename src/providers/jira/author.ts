import type { JsonObject } from '../../types.ts';
import { textAt } from '../kit/payload.ts';

/** Name of the account that wrote a comment, an issue's texts or a change; null for the rest. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  const [top, next] = path;
  if (top === 'comment' || top === 'worklog')
    return nameAt(payload, top, 'updateAuthor') ?? nameAt(payload, top, 'author');
  if (top === 'changelog' || top === 'user') return nameAt(payload, 'user');
  const fields =
    top === 'issue' && next === 'fields' ? ['issue', 'fields'] : top === 'fields' ? ['fields'] : null;
  return fields === null
    ? null
    : (nameAt(payload, ...fields, 'creator') ?? nameAt(payload, ...fields, 'reporter'));
}

function nameAt(payload: JsonObject, ...path: readonly string[]): string | null {
  return textAt(payload, ...path, 'displayName') ?? textAt(payload, ...path, 'name');
}
