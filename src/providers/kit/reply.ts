import { failure } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Account, CallAnswer, JsonObject, JsonValue, Post } from '../../types.ts';
import { hasMarker, hiddenMarker, isBy } from './marker.ts';
import { idAt } from './payload.ts';

/** The JSON of an answer; null when it is not JSON: a proxy's page, or a cut answer. */
export function answerJson({ text }: { readonly text: string }): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/** The objects of an answer that is a list. */
export function answerList(answer: CallAnswer): readonly JsonObject[] {
  const list = answerJson(answer);
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** The id of what a call made, where the answer is the thing itself. */
export function postedId(answer: CallAnswer): string | null {
  return idAt(answerJson(answer), 'id');
}

/** What a page says about the post with this outgoing id. */
interface PostSearch {
  readonly id: string;
  /** The account that looks for it; null where the API names none. */
  readonly author: string | null;
  textOf(post: JsonObject): string | null;
  /** Left out: posts name no author, and the mark alone tells. */
  authorOf?(post: JsonObject): string | null;
}

/** The id of the post that carries the mark and is not by another account; null when none does. */
export function findPost(
  posts: readonly JsonObject[],
  { id, author, textOf, authorOf = () => null }: PostSearch,
): string | null {
  const found = posts.find((post) => hasMarker(textOf(post) ?? '', id) && isBy(author, authorOf(post)));
  return idAt(found, 'id');
}

/** The text of a post where comments of HTML are not shown: its mark is one, in front. */
export function hiddenlyMarked({ id, text }: Post): string {
  return `${hiddenMarker(id)}\n${text}`;
}

/** A token that belongs to a user's e-mail address is sent with it; one without a user is sent alone. */
export function basicOrBearer({ user, token }: Pick<Account, 'user' | 'token'>): string {
  if (user === null) return `Bearer ${token.reveal()}`;
  return `Basic ${Buffer.from(`${user}:${token.reveal()}`).toString('base64')}`;
}

/** Ids and words of a path. */
export type Segments = readonly (string | null | undefined)[];

/**
 * A path below an API's address from ids that came in a payload. Each is one segment: `/` is escaped, and what a URL
 * parser would take for a step upwards is refused (`bad_place`).
 */
export function apiPath(...segments: Segments): string {
  return segments.map((segment) => `/${encodeSegment(segment)}`).join('');
}

function encodeSegment(segment: string | null | undefined): string {
  if (segment === null || segment === undefined || segment === '' || /^\.{1,2}$/.test(segment)) {
    throw failure('bad_place', `there is nowhere to send it: ${JSON.stringify(segment ?? null)} is no id`);
  }
  return encodeURIComponent(segment);
}
