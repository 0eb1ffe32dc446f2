import type { Account, JsonObject } from '../../types.ts';
import { firstText, hostOf, idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** Atlassian's own hosts; ids of sites there are not qualified by a host. */
const CLOUD = /(?:^|\.)(?:atlassian\.net|jira\.com|atlassian\.com)$/;

const API_HOST = 'api.atlassian.com';

/** Whether an account is of Cloud, whose API differs from Data Center's. */
export function isCloud({ baseUrl }: Pick<Account, 'baseUrl'>): boolean {
  return CLOUD.test(new URL(baseUrl).hostname);
}

/** Where an issue lives, read from the REST addresses in a payload. */
export interface JiraSubject {
  /** Host of the site, for keys; empty when the payload names none. */
  readonly host: string;
  /** `jira:PROJ-1`, on a self-hosted Jira `jira:jira.example.com/PROJ-1`; null without an issue. */
  readonly externalId: string | null;
  /** Of the issue's own number, which it keeps when it is moved; empty where the payload does not name it and its site. */
  readonly stableIds: readonly string[];
  readonly url: string | null;
  /** Key of the issue, else its number; null without an issue. */
  readonly issue: string | null;
}

/** `issue` is null where the payload has none: a comment of Data Center names its issue only in its own address. */
export function placeOf(payload: JsonObject, issue: JsonObject | null): JiraSubject {
  const addresses = [
    textAt(issue, 'self'),
    textAt(payload, 'comment', 'self'),
    ...[
      'worklog',
      'attachment',
      'property',
      'sprint',
      'version',
      'project',
      'board',
      'filter',
      'issuetype',
      'user',
    ].map((thing) => textAt(payload, thing, 'self')),
  ];
  const self = addresses.find((address) => address !== null) ?? null;
  const host = hostOf(self);
  const key = idAt(issue, 'key');
  const issueId =
    idAt(issue, 'id') ??
    idInAddress(self) ??
    idAt(payload, 'worklog', 'issueId') ??
    idAt(payload, 'issueLink', 'sourceIssueId');
  const name = key ?? issueId ?? thingOf(payload);
  return {
    host: host ?? '',
    externalId: name === null ? null : `jira:${qualifierOf(host ?? '')}${name}`,
    stableIds: stableIds(host, issueId),
    url: key === null ? thingPage(payload, self) : browseUrl(self, key, idAt(payload, 'comment', 'id')),
    issue: key ?? issueId,
  };
}

/** OAuth apps see one API host for all sites: nothing tells there which site a number is of. */
function stableIds(host: string | null, id: string | null): readonly string[] {
  return host === null || id === null || host === API_HOST ? [] : [`jira:${host}/issue/${id}`];
}

/** The external id that an issue had before it was moved to another project, which `changelog` names as its `Key`. */
export function formerIds(payload: JsonObject, { externalId, host }: JiraSubject): readonly string[] {
  const moved = objectsAt(payload, 'changelog', 'items').find((item) => textAt(item, 'field') === 'Key');
  const former = textAt(moved, 'fromString');
  const isKey = former !== null && /^[A-Z][A-Z0-9_]*-\d+$/.test(former);
  return externalId === null || !isKey ? [] : [`jira:${qualifierOf(host)}${former}`];
}

function qualifierOf(host: string): string {
  return host === '' || CLOUD.test(host) ? '' : `${host}/`;
}

/** `…/rest/api/2/issue/10013/comment/10082` */
function idInAddress(self: string | null): string | null {
  return /\/rest\/api\/[^/]+\/issue\/(\d+)(?:\/|$)/.exec(self ?? '')?.[1] ?? null;
}

/** The page of an issue, below whatever path Jira is served under. OAuth apps see an API host that has no pages. */
function browseUrl(self: string | null, key: string, comment: string | null): string | null {
  const base = /^(https?:\/\/.+?)\/rest\/api\//.exec(self ?? '')?.[1];
  if (base === undefined || hostOf(base) === API_HOST) return null;
  const focus = comment === null ? '' : `?focusedCommentId=${encodeURIComponent(comment)}`;
  return `${base}/browse/${encodeURIComponent(key)}${focus}`;
}

/** The page of what an event is about, where it is no issue: a project, filter or board, or the file itself. */
function thingPage(payload: JsonObject, self: string | null): string | null {
  const base = /^(https?:\/\/.+?)\/rest\//.exec(self ?? '')?.[1];
  if (base === undefined || hostOf(base) === API_HOST) return null;
  const project = idAt(payload, 'project', 'key');
  const filter = idAt(payload, 'filter', 'id');
  const board = idAt(payload, 'sprint', 'originBoardId') ?? idAt(payload, 'board', 'id');
  if (project !== null) return `${base}/browse/${encodeURIComponent(project)}`;
  if (filter !== null) return `${base}/issues/?filter=${encodeURIComponent(filter)}`;
  if (board !== null) return `${base}/secure/RapidBoard.jspa?rapidView=${encodeURIComponent(board)}`;
  return textAt(payload, 'attachment', 'content');
}

/** The title of what an event is about, where it is no issue. Of an account, what it is called: it did nothing. */
export function titleOf(payload: JsonObject): string | null {
  const things = ['attachment', 'sprint', 'version', 'project', 'board', 'filter', 'issuetype'];
  const names = things.map((thing) => textAt(payload, thing, 'filename') ?? textAt(payload, thing, 'name'));
  const link = objectAt(payload, 'issueLink');
  return firstText([
    ...names,
    textAt(payload, 'property', 'key'),
    textAt(link, 'issueLinkType', 'name') ?? (link === null ? null : 'issue link'),
    objectAt(payload, 'worklog') === null ? null : 'worklog',
    /^(?:jira:)?user_/.test(textAt(payload, 'webhookEvent') ?? '')
      ? textAt(payload, 'user', 'displayName')
      : null,
  ]);
}

/** What an event without an issue is about: `sprint/7`. */
function thingOf(payload: JsonObject): string | null {
  const things = ['sprint', 'version', 'project', 'board', 'filter'];
  const found = things.find((thing) => idAt(payload, thing, 'id') !== null);
  const id = found === undefined ? null : idAt(payload, found, 'id');
  return id === null || !/^[\w-]+$/.test(id) ? null : `${found}/${id}`;
}
