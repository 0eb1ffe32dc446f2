import type { ApiRequest } from '../../connect/api.ts';
import type { LoggedAttempt, PagedLog, SenderLog } from '../../connect/connector.ts';
import { getPath } from '../../lib/json.ts';
import { isCloud } from '../../providers/jira/site.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../../providers/kit/payload.ts';
import type { Account, JsonObject } from '../../types.ts';
import { madeAgain, minutes, WINDOW_MS } from './made-again.ts';

const SEARCH = '/rest/api/3/search/jql';
const DC_SEARCH = '/rest/api/2/search';
const ID = 'x-atlassian-webhook-identifier';

/**
 * Issues and comments that were made since, found by JQL. Jira keeps failed webhooks for Connect apps alone; edits, moves and
 * transitions are not made again. A search lists the newest 20 comments of an issue. Source: developer.atlassian.com/cloud/jira,
 * REST API v3, "Search for issues using JQL enhanced search".
 */
const jiraLog: PagedLog = {
  windowMs: WINDOW_MS,
  isBounded: true,
  untold: 'edits, moves and transitions',
  attempts: ({ kind, name }, _hook, ageMs) =>
    search({
      jql: jqlOf(kind, name, ageMs),
      fields: '*all',
      maxResults: '50',
    }),
  readAttempts: ({ json }) => objectsAt(json, 'issues').flatMap(readIssue),
  takes: ({ eventType }, events) => events.includes(eventType ?? ''),
  next({ json }, { path }) {
    const token = textAt(json, 'nextPageToken');
    const { searchParams } = new URL(path, 'http://jira');
    return token === null ? null : search({ ...Object.fromEntries(searchParams), nextPageToken: token });
  },
};

/** The same at a Data Center: REST version 2, pages by number, all comments. Source: jira.js 6, `server/api/issueSearch`. */
const jiraDataCenterLog: PagedLog = {
  ...jiraLog,
  attempts: ({ kind, name }, _hook, ageMs) => ({
    method: 'GET',
    path: `${DC_SEARCH}?${new URLSearchParams({ jql: jqlOf(kind, name, ageMs), fields: '*all', maxResults: '50', startAt: '0' })}`,
    body: null,
  }),
  next({ json }, { path }) {
    const { searchParams } = new URL(path, 'http://jira');
    const read = Number(searchParams.get('startAt')) + objectsAt(json, 'issues').length;
    const total = Number(getPath(json, ['total']));
    if (objectsAt(json, 'issues').length === 0 || !(read < total)) return null;
    searchParams.set('startAt', String(read));
    return { method: 'GET', path: `${DC_SEARCH}?${searchParams}`, body: null };
  },
};

/** Cloud's or Data Center's, by the account's address. */
export function jiraLogAt(account: Account): SenderLog {
  return isCloud(account) ? jiraLog : jiraDataCenterLog;
}

function jqlOf(kind: string, name: string, ageMs: number): string {
  const project = kind === 'project' ? `project = "${name}" and ` : '';
  return `${project}updated >= "-${minutes(ageMs)}m" order by updated desc`;
}

function search(query: Readonly<Record<string, string>>): ApiRequest {
  return { method: 'GET', path: `${SEARCH}?${new URLSearchParams(query)}`, body: null };
}

function readIssue(found: JsonObject): readonly LoggedAttempt[] {
  const fields = objectAt(found, 'fields') ?? {};
  // As webhooks have it, which tell comments of their own.
  const { comment, ...rest } = fields;
  const issue = { ...found, fields: rest };
  const createdAt = timeAt(fields, 'created');
  const created = madeAgain(ID, {
    eventType: 'jira:issue_created',
    id: idAt(found, 'id'),
    at: createdAt,
    payload: {
      ...{ timestamp: createdAt ?? 0, webhookEvent: 'jira:issue_created' },
      ...{ issue_event_type_name: 'issue_created', user: objectAt(fields, 'creator') ?? {}, issue },
    },
  });
  const comments = objectsAt(comment, 'comments').flatMap((each) =>
    madeAgain(ID, {
      eventType: 'comment_created',
      id: idAt(each, 'id'),
      at: timeAt(each, 'created'),
      payload: {
        ...{ timestamp: timeAt(each, 'created') ?? 0, webhookEvent: 'comment_created' },
        ...{ comment: each, issue },
      },
    }),
  );
  return [...created, ...comments];
}
