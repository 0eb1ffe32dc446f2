import { textAt } from '../../lib/payload.ts';
import type { Headers, JsonObject } from '../../types.ts';
import { writerOf } from './sender.ts';

type Texts = Readonly<Record<string, readonly (readonly string[])[]>>;
const COMMENT = [
  ['comment', 'content', 'raw'],
  ['comment', 'text'],
];

/** Events in which a person says something new, of Cloud and of Server, and where it stands. */
const CREATED: Texts = {
  'pullrequest:comment_created': COMMENT,
  'issue:comment_created': COMMENT,
  'repo:commit_comment_created': COMMENT,
  'pr:comment:added': COMMENT,
  'repo:comment:added': COMMENT,
  'pullrequest:created': [['pullrequest', 'description']],
  'issue:created': [['issue', 'content', 'raw']],
  'pr:opened': [['pullRequest', 'description']],
};
const EDITED: Texts = {
  'pullrequest:comment_updated': COMMENT,
  'issue:comment_updated': COMMENT,
  'pr:comment:edited': COMMENT,
  'repo:comment:edited': COMMENT,
};
/** What an event carries. Its name is outside the signature: the payload has to fit. */
const REQUIRED: readonly (readonly [pattern: RegExp, key: string])[] = [
  [/comment/, 'comment'],
  [/^pullrequest:/, 'pullrequest'],
  [/^pr:/, 'pullRequest'],
  [/^issue:/, 'issue'],
];

/** What the header calls the event; null when it names none. */
export function eventName(headers: Headers): string | null {
  const name = headers['x-event-key'] ?? '';
  return /^[a-z_]+(?::[a-z_]+)+$/.test(name) ? name : null;
}

/** Why the payload cannot be of that event; null when it fits. */
export function misfit(type: string, payload: JsonObject): string | null {
  const missing = REQUIRED.find(([pattern, key]) => pattern.test(type) && !Object.hasOwn(payload, key));
  if (missing !== undefined) return `the header says ${type}, but the payload has no \`${missing[1]}\``;
  const isAlien = Object.hasOwn(payload, 'comment') && !type.includes('comment');
  return isAlien ? `the header says ${type}, but the payload has a \`comment\`` : null;
}

/** What the event says that a person wrote. */
export function textOf(type: string, payload: JsonObject) {
  const isEdit = Object.hasOwn(EDITED, type);
  const places = isEdit ? EDITED[type] : Object.hasOwn(CREATED, type) ? CREATED[type] : undefined;
  const texts = (places ?? []).map((path) => textAt(payload, ...path));
  const text = texts.find((found) => found !== null) ?? null;
  const [place] = places?.[0] ?? [];
  const author = text === null || place === undefined ? null : writerOf(payload, place);
  return { text, author, textOrigin: isEdit ? 'edited' : 'created' } as const;
}
