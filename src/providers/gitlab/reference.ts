import type { JsonObject } from '../../types.ts';
import { hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** Which object an event is about, and where it lives. */
interface GitLabSubject {
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

/** Null when the payload names no project, and no epic or work item of a group. */
export function placeOf(payload: JsonObject): GitLabSubject | null {
  const host = hostIn(payload);
  const path = textAt(payload, 'project', 'path_with_namespace') ?? pathOf(projectPage(payload));
  const reference = path === null ? groupReference(payload) : referenceOf(payload);
  if (path === null && reference === null) return null;
  const owner =
    `gitlab:${host === null || host === 'gitlab.com' ? '' : `${host}/`}${path ?? ''}`.toLowerCase();
  return { host: host ?? '', externalId: reference === null ? null : owner + reference };
}

function hostIn(payload: JsonObject): string | null {
  return hostOf(projectPage(payload) ?? pageOf(payload));
}

/** `acme/tools&5`, an epic, or `acme/tools#5`, another work item: a group's own, which belongs to no project. */
function groupReference(payload: JsonObject): string | null {
  const [, group = '', kind, number] =
    /\/groups\/([^\s?#]+?)\/-\/(epics|work_items)\/(\d+)(?:#|$)/.exec(pageOf(payload) ?? '') ?? [];
  return kind === undefined ? null : `${group.toLowerCase()}${kind === 'epics' ? '&' : '#'}${number}`;
}

/** The project's page. Jobs of older versions name it only as `repository.homepage`, vulnerabilities by their own page below it. */
export function projectPage(payload: JsonObject): string | null {
  const own = textAt(payload, 'object_attributes', 'url') ?? '';
  const above = /^https?:\/\/[^/]+\/(?!groups\/)[^?#]+?(?=\/-\/)/.exec(own)?.[0] ?? null;
  return textAt(payload, 'project', 'web_url') ?? textAt(payload, 'repository', 'homepage') ?? above;
}

function pathOf(page: string | null): string | null {
  return URL.parse(page ?? '')?.pathname.replace(/^\/|\/$/g, '') || null;
}

/**
 * Of the object's own number in the instance, or of the project's, which a rename or transfer of the project does not change. An
 * issue that was moved to another project names its new number, too.
 */
export function stableIds(payload: JsonObject): readonly string[] {
  const host = hostIn(payload);
  const subject = subjectOf(payload);
  const kind = kindOfSubject(payload);
  if (host === null) return [];
  if (Object.hasOwn(KINDS, kind)) {
    const ids = [idAt(subject, 'moved_to_id'), idAt(subject, 'id')].filter((each) => each !== null);
    return ids.map((each) => `gitlab:${host}/${KINDS[kind]}/${each}`);
  }
  const project =
    idAt(payload, 'project', 'id') ??
    idAt(payload, 'project_id') ??
    idAt(payload, 'object_attributes', 'project_id');
  const reference = referenceOf(payload);
  // Of an issue that only an address names, the number of its own is not known.
  if (project === null || reference === null || /^[#!$]/.test(reference)) return [];
  return [`gitlab:${host}/project/${project}${reference}`];
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
  const number = idAt(subject, 'iid') ?? (kind === 'snippet' ? idAt(subject, 'id') : null);
  if (number !== null) return `${(Object.hasOwn(MARKS, kind) ? MARKS[kind] : null) ?? '#'}${number}`;
  const commit = commitOf(payload);
  if (commit !== null) return `@${commit}`;
  const path = pathBelow(projectPage(payload), pageOf(payload));
  const [, thing = '', numbered] =
    /^(?:\/-)?\/(issues|work_items|merge_requests)\/(\d+)(?:\/|$)/.exec(path ?? '') ?? [];
  if (numbered !== undefined) return `${thing === 'merge_requests' ? '!' : '#'}${numbered}`;
  return Object.hasOwn(PAGES, textAt(payload, 'object_kind') ?? '') ? path : flagReference(payload);
}

/** Kinds that are known by their own page below the project's; a note by the page on which it was written. */
const PAGES: Readonly<Record<string, true>> = {
  release: true,
  wiki_page: true,
  vulnerability: true,
  milestone: true,
  note: true,
  emoji: true,
};

/** Feature flags are called by their name; their page has a number that no payload tells. */
function flagReference(payload: JsonObject): string | null {
  const name = textAt(payload, 'object_attributes', 'name') ?? '';
  const isFlag = textAt(payload, 'object_kind') === 'feature_flag' && /^[a-z][\w.-]*$/i.test(name);
  return isFlag ? `/-/feature_flags/${name}` : null;
}

/** The page that the payload names, else the one that it lets us build. */
export function pageOf(payload: JsonObject): string | null {
  return (
    textAt(payload, 'object_attributes', 'url') ??
    textAt(payload, 'object_attributes', 'awarded_on_url') ??
    textAt(subjectOf(payload), 'url') ??
    textAt(payload, 'url') ??
    builtPage(payload)
  );
}

/** Where each kind has its page below the project's, and by which number. Source: docs.gitlab.com, the pages of each feature. */
const PATHS: Readonly<Record<string, readonly [folder: string, number: string]>> = {
  pipeline: ['pipelines', 'id'],
  milestone: ['milestones', 'iid'],
  merge_request: ['merge_requests', 'iid'],
  issue: ['issues', 'iid'],
  work_item: ['work_items', 'iid'],
  snippet: ['snippets', 'id'],
};
/** Kinds whose own page has a number that the payload does not tell: the list in which it is. */
const LISTS: Readonly<Record<string, string>> = {
  feature_flag: 'feature_flags',
  access_token: 'settings/access_tokens',
};

function builtPage(payload: JsonObject): string | null {
  const kind = textAt(payload, 'object_kind') ?? '';
  const page = projectPage(payload) ?? (kind === 'milestone' ? textAt(payload, 'group', 'web_url') : null);
  if (page === null) return null;
  const beside = kindOfSubject(payload);
  const own = Object.hasOwn(PATHS, kind) ? kind : Object.hasOwn(PATHS, beside) ? beside : null;
  const [folder, field = ''] = (own === null ? null : PATHS[own]) ?? [];
  const thing = own === kind ? objectAt(payload, 'object_attributes') : subjectOf(payload);
  const number = folder === undefined ? null : idAt(thing, field);
  if (number !== null) return `${page}/-/${folder}/${number}`;
  if (Object.hasOwn(LISTS, kind)) return `${page}/-/${LISTS[kind]}`;
  return kind === 'push' || kind === 'tag_push' ? pushedPage(page, payload) : null;
}

/** Of a push that lists no commits: the tag, or its newest commit. Null of what was deleted. */
function pushedPage(page: string, payload: JsonObject): string | null {
  const commit = commitOf(payload);
  const tag = /^refs\/tags\/(.+)$/.exec(textAt(payload, 'ref') ?? '')?.[1];
  if (commit === null || objectsAt(payload, 'commits').length > 0) return null;
  return tag === undefined ? `${page}/-/commit/${commit}` : `${page}/-/tags/${encodeURI(tag)}`;
}

/** `/-/releases/v1`, without the note on it. */
function pathBelow(base: string | null, page: string | null): string | null {
  const path = base !== null && page?.startsWith(`${base}/`) ? page.slice(base.length) : '';
  return /^(\/[^\s?#]+)(?:#note_\d+)?$/.exec(path)?.[1] ?? null;
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

/** The one commit to which a `repository_update` brought its ref. */
function updatedTo(payload: JsonObject): string | null {
  const [change, ...others] = objectsAt(payload, 'changes');
  return others.length > 0 ? null : textAt(change, 'after');
}

/** The commit that an event belongs to. A release has a page of its own. */
function commitOf(payload: JsonObject): string | null {
  if (textAt(payload, 'object_kind') === 'release') return null;
  const linked = /\/-\/commit\/([0-9a-f]{7,64})$/.exec(textAt(payload, 'commit_url') ?? '')?.[1];
  const named = [...COMMITS.map((path) => textAt(payload, ...path)), updatedTo(payload)].find(
    (sha) => sha !== null && /^[0-9a-f]{3,64}$/i.test(sha) && !/^0+$/.test(sha),
  );
  return named?.toLowerCase() ?? linked ?? null;
}
