import { hostOf, idAt, objectAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** Which object an event is about, and where it lives. */
export interface Place {
  /** Host of the instance; empty when the payload names none. */
  readonly host: string;
  /** `gitlab:group/project!7` (merge request), `#7` (issue), `@<commit>`, `$7` (snippet): GitLab's own references. */
  readonly externalId: string | null;
}

/** GitLab's own mark for each kind of object. */
const MARKS: Readonly<Record<string, string>> = {
  merge_request: '!',
  issue: '#',
  work_item: '#',
  snippet: '$',
};
/** Issues, incidents and tasks are work items, numbered together. */
const KINDS: Readonly<Record<string, string>> = {
  merge_request: 'merge_request',
  issue: 'issue',
  work_item: 'issue',
  snippet: 'snippet',
};
const SUBJECTS = ['merge_request', 'issue', 'work_item', 'snippet'] as const;

/** Null when the payload names no project. */
export function placeOf(payload: JsonObject): Place | null {
  const path = textAt(payload, 'project', 'path_with_namespace');
  if (path === null) return null;
  const host = hostOf(textAt(payload, 'project', 'web_url'));
  const project = `gitlab:${host === null || host === 'gitlab.com' ? '' : `${host}/`}${path}`.toLowerCase();
  const reference = referenceOf(payload);
  return { host: host ?? '', externalId: reference === null ? null : project + reference };
}

/** Of the object's own number in the instance, which a rename or transfer of its project does not change. */
export function stableIds(payload: JsonObject): readonly string[] {
  const host = hostOf(textAt(payload, 'project', 'web_url'));
  const subject = subjectOf(payload) ?? undefined;
  const [kind, id] = [kindOfSubject(payload), idAt(subject, 'id')];
  if (host === null || !Object.hasOwn(KINDS, kind)) return [];
  const ids = [idAt(subject, 'moved_to_id'), id].filter((each) => each !== null);
  return ids.map((each) => `gitlab:${host}/${KINDS[kind]}/${each}`);
}

/** The issue or merge request itself: beside a note, or the event's own object. */
export function subjectOf(payload: JsonObject): JsonObject | null {
  const beside = SUBJECTS.map((key) => objectAt(payload, key)).find((found) => found !== null);
  const kind = textAt(payload, 'object_kind') ?? '';
  return beside ?? (Object.hasOwn(MARKS, kind) ? objectAt(payload, 'object_attributes') : null);
}

function kindOfSubject(payload: JsonObject): string {
  return SUBJECTS.find((key) => objectAt(payload, key) !== null) ?? textAt(payload, 'object_kind') ?? '';
}

function referenceOf(payload: JsonObject): string | null {
  const subject = subjectOf(payload);
  const kind = kindOfSubject(payload);
  const number =
    idAt(subject ?? undefined, 'iid') ?? (kind === 'snippet' ? idAt(subject ?? undefined, 'id') : null);
  if (number !== null) return `${MARKS[kind] ?? '#'}${number}`;
  const isNote = textAt(payload, 'object_kind') === 'note';
  const commit = isNote ? textAt(payload, 'object_attributes', 'commit_id') : null;
  return commit === null || commit === '' ? null : `@${commit.toLowerCase()}`;
}
