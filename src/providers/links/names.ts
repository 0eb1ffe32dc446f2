import type { WebhookEvent } from '../../types.ts';

/** The names of a subject, without what only its own events tell. */
export interface SubjectIds {
  readonly externalId: string;
  readonly stableIds?: readonly string[];
}

/** Marks before the number of an issue or pull request, at the end of an external id. */
const REFERENCE = /[#!]\d+$/;

/**
 * The names of what a reference in a pull request means: `#4` of its own repository, `acme/web#4` and addresses of the same host.
 * Null for anything else. `isOther`: it is in another repository.
 */
export function namesOf(
  { externalId, stableIds = [] }: Pick<WebhookEvent, 'externalId' | 'stableIds'>,
  reference: string,
): (SubjectIds & { readonly isOther: boolean }) | null {
  if (externalId === null || !REFERENCE.test(externalId)) return null;
  const base = externalId.replace(REFERENCE, '');
  const [, provider = '', path = ''] = /^(\w+):(.+)$/.exec(base) ?? [];
  const host = /^\w+:([^/]+)\//.exec(stableIds[0] ?? '')?.[1] ?? '';
  const place = path.startsWith(`${host}/`) ? `${host}/` : '';
  const own = /^[#!]\d+$/.test(reference) ? reference : null;
  if (own !== null) return { ...inSame(base, stableIds, own), isOther: false };
  const [, repository = '', number = ''] = /^([\w.-]+(?:\/[\w.-]+)+)(#\d+)$/.exec(reference) ?? [];
  if (repository !== '') {
    const there = place + repository.toLowerCase();
    if (there === path) return { ...inSame(base, stableIds, number), isOther: false };
    return { externalId: `${provider}:${there}${number}`, isOther: true };
  }
  const [first = null] = subjectsAt(reference).filter(({ externalId: id }) => id.startsWith(`${provider}:`));
  if (first === null) return null;
  return first.externalId.replace(REFERENCE, '') === base
    ? { ...inSame(base, stableIds, REFERENCE.exec(first.externalId)?.[0] ?? ''), isOther: false }
    : { ...first, isOther: true };
}

/** The names of an issue or pull request of the repository in which an event happened, whatever that is about. */
export function inSameRepository(
  { externalId, stableIds = [] }: Pick<WebhookEvent, 'externalId' | 'stableIds'>,
  reference: string,
): SubjectIds | null {
  const own = /[#!@][^#!@/]+$/;
  if (externalId === null || !own.test(externalId)) return null;
  const stable = stableIds.filter((id) => own.test(id)).map((id) => id.replace(own, reference));
  return { externalId: externalId.replace(own, reference), stableIds: stable };
}

/** GitLab's issues have stable ids of their own, which their numbers do not tell. */
function inSame(base: string, stableIds: readonly string[], reference: string): SubjectIds {
  const stable = stableIds.filter((id) => REFERENCE.test(id)).map((id) => id.replace(REFERENCE, reference));
  return { externalId: base + reference, ...(stable.length > 0 && { stableIds: stable }) };
}

interface PageReader {
  /** Against host and path: `github.com/acme/web/issues/4`. */
  readonly page: RegExp;
  readonly id: (found: Readonly<Record<string, string>>) => string;
}

const lower = (text = '') => text.toLowerCase();

/** How the addresses of pages tell what they are about; the first that fits is the likeliest. */
const PAGES: readonly PageReader[] = [
  {
    page: /^github\.com\/(?<path>[\w.-]+\/[\w.-]+)\/(?:issues|pull|discussions)\/(?<number>\d+)(?:\/|$)/,
    id: ({ path, number }) => `github:${lower(path)}#${number}`,
  },
  {
    page: /^bitbucket\.org\/(?<path>[\w.-]+\/[\w.-]+)\/(?<kind>pull-requests|issues)\/(?<number>\d+)(?:\/|$)/,
    id: ({ path, kind, number }) => `bitbucket:${lower(path)}${kind === 'issues' ? '#' : '!'}${number}`,
  },
  {
    page: /^(?<host>[^/]+)\/(?<path>[^?#]+?)\/-\/(?<kind>issues|work_items|merge_requests)\/(?<number>\d+)(?:\/|$)/,
    id: ({ host, path, kind, number }) =>
      `gitlab:${host === 'gitlab.com' ? '' : `${host}/`}${lower(path)}${kind === 'merge_requests' ? '!' : '#'}${number}`,
  },
  {
    page: /^linear\.app\/(?<workspace>[\w-]+)\/issue\/(?<key>\w+-\d+)(?:\/|$)/,
    id: ({ workspace, key = '' }) => `linear:${lower(workspace)}/${key.toUpperCase()}`,
  },
  {
    page: /^(?<host>[^/]+)\/(?:[^?#]*\/)?browse\/(?<key>[A-Za-z][A-Za-z0-9_]+-\d+)(?:\/|$)/,
    id: ({ host = '', key = '' }) =>
      `jira:${/(?:^|\.)(?:atlassian\.net|jira\.com)$/.test(host) ? '' : `${host}/`}${key.toUpperCase()}`,
  },
  {
    page: /^(?<host>[^/]+)\/(?:organizations\/[\w-]+\/)?issues\/(?<number>\d+)(?:\/|$)/,
    id: ({ host = '', number }) => `sentry:${/(?:^|\.)sentry\.io$/.test(host) ? '' : `${host}/`}${number}`,
  },
  // GitHub Enterprise Server and Gitea have the same addresses for issues.
  {
    page: /^(?<host>[^/]+)\/(?<path>[\w.-]+\/[\w.-]+)\/(?:issues|pull)\/(?<number>\d+)(?:\/|$)/,
    id: ({ host, path, number }) => `github:${lower(host)}/${lower(path)}#${number}`,
  },
  {
    page: /^(?<host>[^/]+)\/(?<path>[\w.-]+\/[\w.-]+)\/(?:issues|pulls)\/(?<number>\d+)(?:\/|$)/,
    id: ({ host, path, number }) => `gitea:${lower(host)}/${lower(path)}#${number}`,
  },
];

/** What the page at an address can be about, the likeliest first; empty for an address that names nothing. */
export function subjectsAt(address: string): readonly SubjectIds[] {
  const url = /^https?:\/\//i.test(address) ? URL.parse(address) : null;
  if (url === null) return [];
  const place = url.host + url.pathname;
  return PAGES.flatMap(({ page, id }) => {
    const groups = page.exec(place)?.groups;
    return groups === undefined ? [] : [{ externalId: id(groups) }];
  });
}
