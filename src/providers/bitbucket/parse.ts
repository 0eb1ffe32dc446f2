import type { Headers, JsonObject, Parsed } from '../../types.ts';
import { checkKey } from '../ci/result.ts';
import { event } from '../kit/event.ts';
import { hasValue, idAt, objectAt, textAt, timeAt } from '../kit/payload.ts';
import type { ReadContext } from '../provider.ts';
import { senderOf, writerOf } from './sender.ts';
import { commitOf, fullName, hostIn, repositoryOf, subjectOf, titleOf, urlOf } from './subject.ts';

type Texts = Readonly<Record<string, readonly (readonly string[])[]>>;
const COMMENT = [
  ['comment', 'content', 'raw'],
  ['comment', 'text'],
];

/** Events in which a person says something new, of Cloud and of Server, and where the payload has it. */
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
function shapeMismatch(type: string, payload: JsonObject): string | null {
  // Server signs the name of the event, in the body.
  const signed = textAt(payload, 'eventKey');
  if (signed !== null && signed !== type) return `the header says ${type}, the payload ${signed}`;
  const missing = REQUIRED.find(([pattern, key]) => pattern.test(type) && !hasValue(payload, key));
  if (missing !== undefined) return `the header says ${type}, but the payload has no \`${missing[1]}\``;
  const isAlien =
    hasValue(payload, 'comment') && !type.includes('comment') && !isCommentedUpdate(type, payload);
  return isAlien ? `the header says ${type}, but the payload has a \`comment\`` : null;
}

/** Cloud's update of an issue brings the comment that was written with it. */
function isCommentedUpdate(type: string, payload: JsonObject): boolean {
  return type === 'issue:updated' && objectAt(payload, 'changes') !== null;
}

/** Where an update of an issue holds what was written: its comment, else the description that it changed. */
function updated(payload: JsonObject) {
  const comment = textAt(payload, 'comment', 'content', 'raw') ?? '';
  if (comment !== '') return { places: COMMENT, textOrigin: 'created' } as const;
  const isEdit = objectAt(payload, 'changes', 'content') !== null;
  return { places: isEdit ? [['issue', 'content', 'raw']] : [], textOrigin: 'edited' } as const;
}

/** What the event says that a person wrote. */
function textOf(type: string, payload: JsonObject) {
  const { places, textOrigin } = placesOf(type, payload);
  const text = places.map((path) => textAt(payload, ...path)).find((found) => found !== null) ?? null;
  const [place] = places[0] ?? [];
  const author = text === null || place === undefined ? null : writerOf(payload, place);
  const writing =
    text === null ? {} : writingOf(payload, { type, place: place ?? '', isEdit: textOrigin === 'edited' });
  return { text, author, textOrigin, textFormat: 'bitbucket', ...writing } as const;
}

function placesOf(type: string, payload: JsonObject) {
  if (type === 'issue:updated') return updated(payload);
  const isEdit = Object.hasOwn(EDITED, type);
  const places = isEdit ? EDITED[type] : Object.hasOwn(CREATED, type) ? CREATED[type] : undefined;
  return { places: places ?? [], textOrigin: isEdit ? 'edited' : 'created' } as const;
}

interface Writing {
  readonly type: string;
  readonly place: string;
  readonly isEdit: boolean;
}

/**
 * The id of a text in its repository, and when it was written: ISO 8601 on Cloud, milliseconds on Server. Comments on issues, pull
 * requests and commits are numbered apart: the first word of the event's type tells which.
 */
function writingOf(payload: JsonObject, { type, place, isEdit }: Writing) {
  const id = idAt(payload, place, 'id');
  const [family = ''] = type.split(':');
  const repository = idAt(payload, 'repository', 'uuid') ?? fullName(repositoryOf(payload));
  const names = isEdit ? ['updated_on', 'updatedDate'] : ['created_on', 'createdDate'];
  return {
    textId:
      id === null || !repository ? null : `${hostIn(payload) ?? ''}/${repository}/${family}/${place}/${id}`,
    writtenAt: names.map((name) => timeAt(payload, place, name)).find((time) => time !== null) ?? null,
  };
}

/** Pull requests and issues are numbered apart. */
const MARKS = { pullrequests: '!', issues: '#' } as const;

/** Reads a verified request of Bitbucket Cloud, Server or Data Center. */
export function parse(payload: JsonObject, { request, settings }: ReadContext): Parsed {
  const type = eventName(request.headers);
  if (type === null) return { ok: false, reason: 'the X-Event-Key header is missing or no event name' };
  const problem = shapeMismatch(type, payload);
  if (problem !== null) return { ok: false, reason: problem };
  const baseUrl = textAt(settings.options, 'baseUrl');
  const parsed = event(payload, {
    type,
    ...subjectIds(payload, baseUrl),
    sender: senderOf(payload),
    ...textOf(type, payload),
    title: titleOf(payload),
    url: urlOf(payload, baseUrl),
  });
  const result = checkKey('bitbucket', parsed);
  return { ok: true, events: [parsed], semanticKeys: result === null ? [] : [result] };
}

/**
 * `bitbucket:acme/web!7` (pull request), `#7` (issue), `@<commit>`; the host is named where it is not bitbucket.org. The stable id is
 * of the repository's own id, which a rename or transfer of it does not change.
 */
function subjectIds(payload: JsonObject, baseUrl: string | null) {
  const repository = repositoryOf(payload);
  const name = fullName(repository);
  const id = idAt(repository, 'uuid') ?? idAt(repository, 'id');
  const reference = referenceOf(payload);
  const told = hostIn(payload) ?? URL.parse(baseUrl ?? '')?.host ?? null;
  const isCloud = /^(?:api\.)?bitbucket\.org$/.test(told ?? '') || hasValue(payload, 'pullrequest');
  const host = isCloud ? 'bitbucket.org' : told;
  if (reference === null) return { externalId: null };
  const externalId = `bitbucket:${isCloud ? '' : `${host ?? 'server'}/`}${name}${reference}`.toLowerCase();
  return {
    externalId: name && !/\s/.test(externalId) ? externalId : null,
    stableIds: id === null || host === null ? [] : [`bitbucket:${host}/repository/${id}${reference}`],
  };
}

function referenceOf(payload: JsonObject): string | null {
  const subject = subjectOf(payload);
  if (subject !== null) return MARKS[subject.kind] + subject.number;
  const commit = commitOf(payload);
  return commit === null ? null : `@${commit}`;
}
