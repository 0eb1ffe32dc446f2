import { hostOf, idAt, objectAt, objectsAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** What an event is about. Pull requests and issues are numbered apart, so that a number alone says nothing. */
export interface Subject {
  readonly kind: 'pullrequests' | 'issues';
  readonly number: string;
  readonly title: string | null;
  readonly url: string | null;
}

/** Cloud writes `pullrequest`, Server and Data Center `pullRequest`. */
export function subjectOf(payload: JsonObject): Subject | null {
  const pullRequest = objectAt(payload, 'pullrequest') ?? objectAt(payload, 'pullRequest');
  const found = pullRequest ?? objectAt(payload, 'issue');
  const number = idAt(found ?? undefined, 'id');
  if (found === null || number === null) return null;
  const kind = pullRequest === null ? 'issues' : 'pullrequests';
  return { kind, number, title: textAt(found, 'title'), url: linkOf(found) };
}

/** The repository: of a pull request of Server, the one into which it is to be merged. */
export function repositoryOf(payload: JsonObject): JsonObject | null {
  return objectAt(payload, 'repository') ?? objectAt(payload, 'pullRequest', 'toRef', 'repository');
}

/** `acme/web`, of Server `PROJ/web`. */
export function fullName(repository: JsonObject | null): string | null {
  const [project, slug] = [
    textAt(repository ?? undefined, 'project', 'key'),
    textAt(repository ?? undefined, 'slug'),
  ];
  return (
    textAt(repository ?? undefined, 'full_name') ??
    (project === null || slug === null ? null : `${project}/${slug}`)
  );
}

/** Host of the installation; null when the payload does not tell, as older Servers. */
export function hostIn(payload: JsonObject): string | null {
  const about = [payload.pullrequest, payload.pullRequest, payload.issue, repositoryOf(payload) ?? undefined];
  return hostOf(
    about.map((each) => linkOf(objectAt({ each }, 'each'))).find((link) => link !== null) ?? null,
  );
}

/** Its page: `links.html` of Cloud, the first of `links.self` of Server. */
function linkOf(thing: JsonObject | null): string | null {
  const html = textAt(thing ?? undefined, 'links', 'html', 'href');
  return html ?? textAt(objectsAt(thing ?? undefined, 'links', 'self')[0], 'href');
}
