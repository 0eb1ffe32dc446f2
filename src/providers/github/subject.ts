import type { JsonObject } from '../../types.ts';
import { firstLine, firstText, hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** How an event's own thing is called and reached, where the payload holds neither issue nor pull request nor discussion. */
interface Thing {
  /** The object in the payload; empty: the payload itself. */
  readonly key: string;
  /** Paths in it, the best first. */
  readonly titles: readonly string[];
  readonly urls?: readonly string[];
  /** Path of the commit that it belongs to. */
  readonly commit?: string;
  /** It has a page of its own below the repository, whose path names it: `/releases/tag/v1`. */
  readonly isSubject?: boolean;
}

/**
 * Things that GitHub's events are about, in the order in which they are looked for: a deployment of a workflow run is a deployment.
 * Source: octokit/webhooks; docs.github.com, "Webhook events and payloads".
 */
const THINGS: readonly Thing[] = [
  { key: 'comment', titles: [], commit: 'commit_id' },
  { key: 'check_run', titles: ['name'], commit: 'head_sha' },
  { key: 'check_suite', titles: ['head_commit.message', 'app.name'], commit: 'head_sha' },
  {
    key: 'deployment_status',
    titles: ['description', 'environment'],
    urls: ['target_url', 'log_url', 'environment_url'],
  },
  { key: 'workflow_job', titles: ['name'], commit: 'head_sha' },
  { key: 'workflow_job_run', titles: ['name'], commit: 'head_sha' },
  { key: 'deployment', titles: ['description', 'environment', 'task'], commit: 'sha' },
  { key: 'workflow_run', titles: ['display_title', 'name'], commit: 'head_sha' },
  { key: 'release', titles: ['name', 'tag_name'], isSubject: true },
  { key: 'milestone', titles: ['title'], isSubject: true },
  {
    key: 'alert',
    titles: [
      'security_advisory.summary',
      'rule.description',
      'rule.name',
      'secret_type_display_name',
      'secret_type',
      'affected_package_name',
    ],
    isSubject: true,
  },
  { key: 'repository_advisory', titles: ['summary', 'ghsa_id'], isSubject: true },
  { key: 'security_advisory', titles: ['summary', 'ghsa_id'], urls: ['html_url', 'references.0.url'] },
  { key: 'merge_group', titles: ['head_commit.message', 'head_ref'], commit: 'head_sha' },
  { key: 'head_commit', titles: ['message'], urls: ['url'], commit: 'id' },
  // The fields of `status` are beside its commit.
  { key: 'commit', titles: [], commit: 'sha' },
  { key: 'build', titles: ['error.message', 'status'], commit: 'commit' },
  { key: 'package', titles: ['name'] },
  { key: 'registry_package', titles: ['name'] },
  { key: 'forkee', titles: ['full_name'] },
  { key: 'project', titles: ['name'] },
  { key: 'projects_v2', titles: ['title'] },
  { key: 'project_card', titles: ['note'] },
  { key: 'project_column', titles: ['name'] },
  { key: 'label', titles: ['name'] },
  { key: 'rule', titles: ['name'] },
  { key: 'repository_ruleset', titles: ['name'], urls: ['_links.html.href'] },
  { key: 'key', titles: ['title'] },
  { key: 'membership', titles: ['user.login'], urls: ['user.html_url'] },
  { key: 'member', titles: ['login'] },
  { key: 'team', titles: ['name'] },
  { key: 'blocked_user', titles: ['login'] },
  { key: 'installation', titles: ['account.login', 'app_slug'], urls: ['html_url', 'account.html_url'] },
  { key: 'sponsorship', titles: ['tier.name'], urls: ['sponsorable.html_url'] },
  { key: 'marketplace_purchase', titles: ['plan.name'] },
];

/** Title and page of what an event is about. */
interface Told {
  readonly title: string | null;
  readonly url: string | null;
  /** `@<commit>`, or the path of its page; null when it has neither. */
  readonly reference: string | null;
}

/**
 * Of the event's own thing; of what has neither name nor page, the repository or organisation in which it happened. `installation`
 * is in every event that an app gets: only in events of its own it is the thing.
 */
function thingOf(event: string, payload: JsonObject): Told {
  const there = THINGS.filter(
    ({ key }) =>
      objectAt(payload, key) !== null && (key !== 'installation' || event.startsWith('installation')),
  );
  const found = there.find(({ key }) => key === event) ?? there[0];
  const thing = found === undefined ? undefined : objectAt(payload, found.key);
  const at = (paths: readonly string[] = []) =>
    firstText(paths.map((path) => textAt(thing, ...path.split('.'))));
  const place = objectAt(payload, 'repository') ?? objectAt(payload, 'organization');
  const titles = [
    ...titlesBeside(event, payload),
    at(found?.titles),
    textAt(place, 'full_name'),
    textAt(place, 'login'),
  ];
  const own = at(found?.urls ?? ['html_url']);
  const commit = at(found?.commit === undefined ? [] : [found.commit]) ?? commitBeside(payload);
  return {
    title: firstLine(firstText(titles)),
    url: firstText([own, urlBeside(event, payload), textAt(place, 'html_url'), pageOf(place)]),
    reference:
      found?.isSubject === true ? pathBelow(place, own) : commit === null ? null : `@${commit.toLowerCase()}`,
  };
}

/** Events that keep their name in the payload itself, beside everything else. */
function titlesBeside(event: string, payload: JsonObject): readonly (string | null)[] {
  switch (event) {
    case 'status': {
      const context = textAt(payload, 'context');
      const description = textAt(payload, 'description');
      return [context === null || description === null ? context : `${context}: ${description}`];
    }
    case 'create':
    case 'delete':
    case 'push':
      return [textAt(payload, 'head_commit', 'message') ?? textAt(payload, 'ref')];
    case 'gollum':
      return [textAt(objectsAt(payload, 'pages')[0], 'title')];
    case 'workflow_dispatch':
      return [textAt(payload, 'workflow')];
    case 'commit_comment': {
      const commit = textAt(payload, 'comment', 'commit_id');
      return [commit === null ? null : `commit ${commit.slice(0, 12)}`];
    }
    default:
      return [];
  }
}

function urlBeside(event: string, payload: JsonObject): string | null {
  const page = textAt(payload, 'repository', 'html_url');
  const ref = textAt(payload, 'ref');
  if (event === 'gollum') return textAt(objectsAt(payload, 'pages')[0], 'html_url');
  if (event === 'push') return textAt(payload, 'compare');
  if (event === 'create' && page !== null && ref !== null) return `${page}/tree/${encodeURI(ref)}`;
  if (event === 'label' && page !== null) {
    return `${page}/labels/${encodeURIComponent(textAt(payload, 'label', 'name') ?? '')}`;
  }
  return null;
}

/** A deployment's status, a push without a commit of its own, an alert of code scanning name their commit elsewhere. */
function commitBeside(payload: JsonObject): string | null {
  return firstText([
    textAt(payload, 'deployment', 'sha'),
    textAt(payload, 'sha'),
    textAt(payload, 'workflow_run', 'head_sha'),
  ]);
}

/** `/releases/tag/v1`, of a page below the repository's. */
function pathBelow(place: JsonObject | null | undefined, page: string | null): string | null {
  const base = textAt(place, 'html_url');
  const path = base !== null && page?.startsWith(`${base}/`) ? page.slice(base.length) : '';
  return /^\/[^\s?#]+$/.test(path) ? path : null;
}

function pageOf(organization: JsonObject | null | undefined): string | null {
  const login = textAt(organization, 'login');
  return login === null ? null : `https://github.com/${encodeURIComponent(login)}`;
}

/**
 * The number of the one pull request that a check or a run belongs to; null when it belongs to several or none. Pull requests of
 * another repository (a fork's) do not count.
 */
function pullRequestOf(payload: JsonObject): string | null {
  const repository = idAt(payload, 'repository', 'id');
  for (const key of ['check_run', 'check_suite', 'workflow_run'] as const) {
    const thing = objectAt(payload, key);
    const pulls = [
      ...objectsAt(thing, 'pull_requests'),
      ...objectsAt(thing, 'check_suite', 'pull_requests'),
    ].filter((pull) => (idAt(pull, 'base', 'repo', 'id') ?? repository) === repository);
    const numbers = new Set(pulls.map((pull) => idAt(pull, 'number')));
    const [number = null] = numbers;
    if (numbers.size === 1 && number !== null) return number;
  }
  // The branch of a merge queue is named after its pull request.
  return /\/pr-(\d+)-[0-9a-f]{40}$/.exec(textAt(payload, 'merge_group', 'head_ref') ?? '')?.[1] ?? null;
}

/** What an event is about: its names, as people read it and by ids that stay, its title and its page. */
interface Subject {
  readonly externalId: string | null;
  readonly stableIds: readonly string[];
  readonly otherIds: readonly string[];
  readonly hasMovedOn: boolean;
  readonly title: string | null;
  readonly url: string | null;
}

/** An issue, pull request or discussion, and the repository that it is in. */
interface Numbered {
  readonly thing: JsonObject;
  readonly repository: JsonObject | null;
}

const NUMBERED = ['issue', 'pull_request', 'discussion'] as const;

/** Which of the two issues an event of this action is about; the other is its parent, its child or what holds it up. */
const RELATED: readonly (readonly [action: RegExp, key: string])[] = [
  [/^parent_issue_/, 'sub_issue'],
  [/^sub_issue_/, 'parent_issue'],
  [/^blocked_by_/, 'blocked_issue'],
  [/^blocking_/, 'blocking_issue'],
];

/**
 * `github:owner/repo#42`; the host is named where it is not github.com. What belongs to no issue, pull request or discussion belongs
 * to its commit (`@6dcb09b…`), or is named by the path of its page (`/releases/tag/v1`).
 */
export function subjectOf(event: string, payload: JsonObject): Subject {
  const host = hostOf(textAt(payload, 'repository', 'html_url')) ?? 'github.com';
  const numbered = numberedIn(payload);
  const told = numbered === null ? thingOf(event, payload) : null;
  const repository = numbered?.repository ?? objectAt(payload, 'repository');
  const here = idsAt(host, repository, referenceOf(payload, numbered) ?? told?.reference ?? null);
  const there = movedIds(host, payload);
  const stable = [there.stable, here.stable];
  return {
    externalId: here.readable,
    // The present one first. `opened` comes from the new repository, `transferred` from the old one.
    stableIds: (there.isFormer ? stable.toReversed() : stable).filter((id) => id !== null),
    otherIds: here.readable === null || there.readable === null ? [] : [there.readable],
    hasMovedOn: there.readable !== null && !there.isFormer,
    title: told?.title ?? textAt(numbered?.thing, 'title'),
    url: told?.url ?? textAt(numbered?.thing, 'html_url'),
  };
}

function numberedIn(payload: JsonObject): Numbered | null {
  const action = textAt(payload, 'action') ?? '';
  const related = RELATED.find(([pattern]) => pattern.test(action))?.[1];
  const own = related === undefined ? null : objectAt(payload, related);
  if (own !== null) {
    return {
      thing: own,
      repository: objectAt(payload, `${related}_repo`) ?? objectAt(payload, 'repository'),
    };
  }
  const thing = NUMBERED.map((key) => objectAt(payload, key)).find((found) => found !== null);
  return thing === undefined ? null : { thing, repository: objectAt(payload, 'repository') };
}

function referenceOf(payload: JsonObject, numbered: Numbered | null): string | null {
  const number = idAt(numbered?.thing, 'number') ?? (numbered === null ? pullRequestOf(payload) : null);
  if (number !== null) return `#${number}`;
  // A card of a classic project names its issue only by the address of the API.
  const card = /\/issues\/(\d+)$/.exec(textAt(payload, 'project_card', 'content_url') ?? '')?.[1];
  return card === undefined ? null : `#${card}`;
}

interface Ids {
  readonly readable: string | null;
  readonly stable: string | null;
}

/** The stable id is of the repository's own number, which a rename or transfer of it does not change. */
function idsAt(host: string, repository: JsonObject | null, reference: string | null): Ids {
  const name = textAt(repository, 'full_name');
  const id = idAt(repository, 'id');
  const place = host === 'github.com' ? '' : `${host}/`;
  return {
    readable: name === null || reference === null ? null : `github:${place}${name}${reference}`.toLowerCase(),
    stable: id === null || reference === null ? null : `github:${host}/repository/${id}${reference}`,
  };
}

const MOVES = [
  { repository: 'old_repository', subjects: ['old_issue', 'old_discussion'], isFormer: true },
  { repository: 'new_repository', subjects: ['new_issue', 'new_discussion'], isFormer: false },
] as const;

/** Where a transferred issue or discussion was before, or is now. */
function movedIds(host: string, payload: JsonObject): Ids & { readonly isFormer: boolean } {
  const changes = objectAt(payload, 'changes');
  for (const { repository, subjects, isFormer } of MOVES) {
    const number = subjects.map((key) => idAt(changes, key, 'number')).find((found) => found !== null);
    const place = objectAt(changes, repository);
    if (place !== null && number !== undefined) return { ...idsAt(host, place, `#${number}`), isFormer };
  }
  return { readable: null, stable: null, isFormer: false };
}
