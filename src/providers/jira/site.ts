import { hostOf, idAt, textAt } from '../../lib/payload.ts';
import type { JsonObject } from '../../types.ts';

/** Atlassian's own hosts; ids of sites there are not qualified by a host. */
const CLOUD = /(?:^|\.)(?:atlassian\.net|jira\.com|atlassian\.com)$/;

/** Where an issue lives, read from the REST addresses in a payload. */
export interface Place {
  /** Host of the site, for keys; empty when the payload names none. */
  readonly host: string;
  /** `jira:PROJ-1`, on a host of one's own `jira:jira.example.com/PROJ-1`; null without an issue. */
  readonly externalId: string | null;
  readonly url: string | null;
}

/** `issue` is null where the payload has none: a comment of Data Center names its issue only in its own address. */
export function placeOf(payload: JsonObject, issue: JsonObject | null): Place {
  const addresses = [
    textAt(issue ?? undefined, 'self'),
    textAt(payload, 'comment', 'self'),
    textAt(payload, 'worklog', 'self'),
    textAt(payload, 'user', 'self'),
  ];
  const self = addresses.find((address) => address !== null) ?? null;
  const host = hostOf(self);
  const key = idAt(issue ?? undefined, 'key');
  const name = key ?? idAt(issue ?? undefined, 'id') ?? idInAddress(self);
  const qualifier = host === null || CLOUD.test(host) ? '' : `${host}/`;
  return {
    host: host ?? '',
    externalId: name === null ? null : `jira:${qualifier}${name}`,
    url: key === null ? null : browseUrl(self, key, idAt(payload, 'comment', 'id')),
  };
}

/** `…/rest/api/2/issue/10013/comment/10082` */
function idInAddress(self: string | null): string | null {
  return /\/rest\/api\/[^/]+\/issue\/(\d+)(?:\/|$)/.exec(self ?? '')?.[1] ?? null;
}

/** The page of an issue, below whatever path Jira is served under. OAuth apps see an API host that has no pages. */
function browseUrl(self: string | null, key: string, comment: string | null): string | null {
  const base = /^(https?:\/\/.+?)\/rest\/api\//.exec(self ?? '')?.[1];
  if (base === undefined || hostOf(base) === 'api.atlassian.com') return null;
  const focus = comment === null ? '' : `?focusedCommentId=${encodeURIComponent(comment)}`;
  return `${base}/browse/${encodeURIComponent(key)}${focus}`;
}
