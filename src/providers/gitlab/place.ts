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
  const page = projectPage(payload);
  const host = hostOf(page);
  const path = textAt(payload, 'project', 'path_with_namespace') ?? pathOf(page);
  if (path === null) return null;
  const project = `gitlab:${host === null || host === 'gitlab.com' ? '' : `${host}/`}${path}`.toLowerCase();
  const reference = referenceOf(payload);
  return { host: host ?? '', externalId: reference === null ? null : project + reference };
}

/** The project's page. Jobs of older versions name it only as `repository.homepage`. */
export function projectPage(payload: JsonObject): string | null {
  return textAt(payload, 'project', 'web_url') ?? textAt(payload, 'repository', 'homepage');
}

function pathOf(page: string | null): string | null {
  return URL.parse(page ?? '')?.pathname.replace(/^\/|\/$/g, '') || null;
}

/**
 * Of the object's own number in the instance, or of the project's, which a rename or transfer of the project does not change. An
 * issue that was moved to another project names its new number, too.
 */
export function stableIds(payload: JsonObject): readonly string[] {
  const host = hostOf(projectPage(payload));
  const subject = subjectOf(payload) ?? undefined;
  const kind = kindOfSubject(payload);
  if (host === null) return [];
  if (Object.hasOwn(KINDS, kind)) {
    const ids = [idAt(subject, 'moved_to_id'), idAt(subject, 'id')].filter((each) => each !== null);
    return ids.map((each) => `gitlab:${host}/${KINDS[kind]}/${each}`);
  }
  const project = idAt(payload, 'project', 'id') ?? idAt(payload, 'project_id');
  const reference = referenceOf(payload);
  return project === null || reference === null ? [] : [`gitlab:${host}/project/${project}${reference}`];
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
  const commit = commitOf(payload);
  if (commit !== null) return `@${commit}`;
  return Object.hasOwn(PAGES, kind) ? pathBelow(projectPage(payload), pageOf(payload)) : null;
}

/** Kinds that are known by their own page below the project's. */
const PAGES: Readonly<Record<string, true>> = { release: true, wiki_page: true, vulnerability: true };

function pageOf(payload: JsonObject): string | null {
  return textAt(payload, 'object_attributes', 'url') ?? textAt(payload, 'url');
}

/** `/-/releases/v1` */
function pathBelow(base: string | null, page: string | null): string | null {
  const path = base !== null && page?.startsWith(`${base}/`) ? page.slice(base.length) : '';
  return /^\/[^\s?#]+$/.test(path) ? path : null;
}

/** Where kinds name their commit: notes, emoji, pipelines, jobs, pushes, deployments. */
const COMMITS = [
  ['object_attributes', 'commit_id'],
  ['note', 'commit_id'],
  ['object_attributes', 'sha'],
  ['sha'],
  ['checkout_sha'],
  ['after'],
  ['commit', 'sha'],
  ['commit', 'id'],
] as const;

/** The commit that an event belongs to. A release has a page of its own. */
function commitOf(payload: JsonObject): string | null {
  if (textAt(payload, 'object_kind') === 'release') return null;
  const linked = /\/-\/commit\/([0-9a-f]{7,64})$/.exec(textAt(payload, 'commit_url') ?? '')?.[1];
  const named = COMMITS.map((path) => textAt(payload, ...path)).find(
    (sha) => sha !== null && /^[0-9a-f]{3,64}$/i.test(sha) && !/^0+$/.test(sha),
  );
  return named?.toLowerCase() ?? linked ?? null;
}
