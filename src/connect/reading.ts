import { failure } from '../errors.ts';
import { getPath } from '../lib/json.ts';
import { idAt } from '../providers/kit/payload.ts';
import type { JsonValue } from '../types.ts';
import type { ApiAnswer } from './api.ts';

/** `acme/api` of what was typed, which may be the page's address. */
export function nameOf(text: string): string {
  const page = /^https?:\/\//.test(text) ? URL.parse(text) : null;
  return (page === null ? text : page.pathname.slice(1)).replace(/(?:\.git)?\/*$/, '');
}

/** The texts of the list at a path. */
export function stringsAt(value: JsonValue | undefined, ...path: readonly string[]): readonly string[] {
  const found = getPath(value, path);
  return Array.isArray(found) ? found.filter((item) => typeof item === 'string') : [];
}

/** The id of the hook that was made. Throws when the answer tells none: whether it was made is not known then. */
export function createdId({ json, text }: ApiAnswer, ...path: readonly string[]): string {
  const id = idAt(json, ...(path.length === 0 ? ['id'] : path));
  if (id !== null) return id;
  throw failure('no_hook_id', `the answer names no hook: ${text.slice(0, 200)}`);
}
