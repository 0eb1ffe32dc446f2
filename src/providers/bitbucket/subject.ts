import type { JsonObject } from '../../types.ts';
import { firstLine, firstText, hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** What an event is about. Pull requests and issues are numbered apart, so that a number alone says nothing. */
interface Subject {
  readonly kind: 'pullrequests' | 'issues';
  readonly number: string;
  readonly title: string | null;
  readonly url: string | null;
}

/** Cloud writes `pullrequest`, Server and Data Center `pullRequest`. */
export function subjectOf(payload: JsonObject): Subject | null {
  const pullRequest = objectAt(payload, 'pullrequest') ?? objectAt(payload, 'pullRequest');
  const found = pullRequest ?? objectAt(payload, 'issue');
  const number = idAt(found, 'id');
  if (found === null || number === null) return null;
  const kind = pullRequest === null ? 'issues' : 'pullrequests';
  return { kind, number, title: textAt(found, 'title'), url: linkOf(found) };
}

/** The repository: of a pull request of Server, the one into which it is to be merged; of one that was changed there, as it is now. */
export function repositoryOf(payload: JsonObject): JsonObject | null {
  const changed = objectAt(payload, 'new');
  return (
    objectAt(payload, 'repository') ??
    objectAt(payload, 'pullRequest', 'toRef', 'repository') ??
    (textAt(changed, 'slug') === null ? null : changed)
  );
}

/** `acme/web`, of Server `PROJ/web`. */
export function fullName(repository: JsonObject | null): string | null {
  const [project, slug] = [textAt(repository, 'project', 'key'), textAt(repository, 'slug')];
  return textAt(repository, 'full_name') ?? (project === null || slug === null ? null : `${project}/${slug}`);
}

/** The newest commit of an event without pull request or issue, as Cloud and Server name it. */
export function commitOf(payload: JsonObject): string | null {
  const hash = firstText([
    textAt(payload, 'commit', 'hash'),
    textAt(payload, 'commit', 'id'),
    textAt(payload, 'commit'),
    textAt(payload, 'commit_status', 'commit', 'hash'),
    /\/commit\/([0-9a-f]+)$/.exec(textAt(payload, 'commit_status', 'links', 'commit', 'href') ?? '')?.[1],
    textAt(newestChange(payload), 'new', 'target', 'hash'),
    textAt(newestChange(payload), 'toHash'),
  ]);
  return hash !== null && /^[0-9a-f]{7,64}$/i.test(hash) && !/^0+$/.test(hash) ? hash.toLowerCase() : null;
}

/** Of a push: Cloud lists the newest change first, Server has one for each ref. */
function newestChange(payload: JsonObject): JsonObject | undefined {
  return objectsAt(payload, 'push', 'changes')[0] ?? objectsAt(payload, 'changes')[0];
}

/** How the thing that an event is about is called; at least its repository. */
export function titleOf(payload: JsonObject): string | null {
  const subject = subjectOf(payload);
  if (subject !== null) return subject.title;
  const change = newestChange(payload);
  return firstLine(
    firstText([
      textAt(payload, 'commit_status', 'name'),
      textAt(payload, 'commit_status', 'key'),
      textAt(payload, 'commit', 'message'),
      textAt(change, 'new', 'target', 'message'),
      textAt(objectsAt(payload, 'commits')[0], 'message'),
      textAt(change, 'new', 'name'),
      textAt(change, 'old', 'name'),
      textAt(change, 'ref', 'displayId'),
      textAt(payload, 'fork', 'full_name'),
      commitTitle(payload),
      fullName(repositoryOf(payload)),
      textAt(payload, 'new', 'name'),
      textAt(payload, 'project', 'name'),
    ]),
  );
}

/** A comment on a commit, of Server, which names no more of it. */
function commitTitle(payload: JsonObject): string | null {
  const commit = textAt(payload, 'commit');
  return commit === null ? null : `commit ${commit.slice(0, 12)}`;
}

/** The page of that thing, else of its repository. `baseUrl` is for older Servers, whose payloads have no links. */
export function urlOf(payload: JsonObject, baseUrl: string | null): string | null {
  const change = newestChange(payload);
  return firstText([
    textAt(payload, 'comment', 'links', 'html', 'href'),
    commentedPage(payload, baseUrl),
    subjectOf(payload)?.url,
    textAt(payload, 'commit_status', 'url'),
    linkOf(objectAt(payload, 'commit')),
    textAt(change, 'links', 'html', 'href'),
    linkOf(objectAt(change, 'new', 'target')),
    linkOf(objectAt(payload, 'fork')),
    serverPage(payload, baseUrl),
    linkOf(repositoryOf(payload)),
    linkOf(objectAt(payload, 'project')),
  ]);
}

/** Of Server: the pull request at its comment. */
function commentedPage(payload: JsonObject, baseUrl: string | null): string | null {
  const comment = idAt(payload, 'comment', 'id');
  const page = linkOf(objectAt(payload, 'pullRequest')) ?? serverPage(payload, baseUrl);
  const isComment = objectAt(payload, 'pullRequest') !== null && comment !== null && page !== null;
  return isComment ? `${page}/overview?commentId=${comment}` : null;
}

/** Of Server, where the payload gives no page: the pull request, the commit, the repository. */
function serverPage(payload: JsonObject, baseUrl: string | null): string | null {
  const repository = repositoryOf(payload);
  const project = textAt(repository, 'project', 'key');
  const slug = textAt(repository, 'slug');
  if (project === null || slug === null) return null;
  const browse = linkOf(repository ?? null)?.replace(/\/browse$/, '') ?? null;
  const base =
    browse ??
    (baseUrl === null
      ? null
      : `${baseUrl.replace(/\/+$/, '')}/projects/${encodeURIComponent(project)}/repos/${encodeURIComponent(slug)}`);
  const number = idAt(payload, 'pullRequest', 'id');
  const commit = commitOf(payload);
  if (base === null || (number === null && commit === null)) return base === browse ? null : base;
  return number === null ? `${base}/commits/${commit}` : `${base}/pull-requests/${number}`;
}

/** Host of the installation; null when the payload does not tell, as older Servers. */
export function hostIn(payload: JsonObject): string | null {
  const about = [payload.pullrequest, payload.pullRequest, payload.issue, repositoryOf(payload)];
  return hostOf(
    about.map((each) => linkOf(objectAt({ each }, 'each'))).find((link) => link !== null) ?? null,
  );
}

/** Its page: `links.html` of Cloud, the first of `links.self` of Server. */
function linkOf(thing: JsonObject | null): string | null {
  const html = textAt(thing, 'links', 'html', 'href');
  return html ?? textAt(objectsAt(thing, 'links', 'self')[0], 'href');
}
