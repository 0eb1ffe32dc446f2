import type { ApiRequest } from '../../connect/api.ts';
import type { LoggedAttempt, SenderLog, Target } from '../../connect/connector.ts';
import { getPath, isJsonObject } from '../../lib/json.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../../providers/kit/payload.ts';
import type { JsonObject, JsonValue } from '../../types.ts';
import { madeAgain, minutes, WINDOW_MS } from './made-again.ts';

const PAGE = 'first: 50, after: $after, filter: $filter, orderBy: createdAt';
const END = 'pageInfo { hasNextPage endCursor }';
const ISSUE = 'id identifier title url team { id key name }';
const COMMENTS = `query($after: String, $filter: CommentFilter) { comments(${PAGE}) {
  nodes { id body url createdAt updatedAt user { id name } issue { ${ISSUE} } } ${END} } }`;
const ISSUES = `query($after: String, $filter: IssueFilter) { issues(${PAGE}) {
  nodes { ${ISSUE} description createdAt updatedAt priority creator { id name } } ${END} } }`;
const ID = 'linear-delivery';

/**
 * Comments and issues that were made since: Linear sends nothing again and keeps no payloads. Changes, and what apps or
 * people from outside wrote, are not made again. Source: the GraphQL schema in @linear/sdk 98.
 */
export const linearLog: SenderLog = {
  windowMs: WINDOW_MS,
  isBounded: true,
  untold: 'changes of what was there before, and sessions of agents',
  attempts: (target, _hook, ageMs) => ask(COMMENTS, null, filterOf(target, ageMs, true)),
  readAttempts: ({ json }) => [
    ...objectsAt(json, 'data', 'comments', 'nodes').flatMap((each) => made('Comment', each, 'user')),
    ...objectsAt(json, 'data', 'issues', 'nodes').flatMap((each) => made('Issue', each, 'creator')),
  ],
  takes: ({ eventType }, events) => events.includes(eventType?.split('.')[0] ?? ''),
  next({ json }, { body }) {
    const asked = isJsonObject(body) ? body : {};
    const filter = objectAt(asked, 'variables', 'filter') ?? {};
    for (const [name, query] of [
      ['comments', COMMENTS],
      ['issues', ISSUES],
    ] as const) {
      const info = getPath(json, ['data', name, 'pageInfo']);
      if (getPath(info, ['hasNextPage']) === true) return ask(query, textAt(info, 'endCursor'), filter);
    }
    return asked.query === COMMENTS ? ask(ISSUES, null, issueFilter(filter)) : null;
  },
};

function ask(query: string, after: string | null, filter: JsonObject): ApiRequest {
  return {
    method: 'POST',
    path: '/graphql',
    body: { query, variables: { after, filter } },
    isRepeatable: true,
  };
}

/** By a duration before Linear's own time. A comment is of the team of its issue. */
function filterOf({ kind, name }: Target, ageMs: number, isComment: boolean): JsonObject {
  const team = { team: { id: { eq: name } } };
  return {
    createdAt: { gte: `-PT${minutes(ageMs)}M` },
    ...(kind === 'team' && (isComment ? { issue: team } : team)),
  };
}

function issueFilter({ createdAt = null, issue = {} }: JsonObject): JsonObject {
  return { createdAt, ...(isJsonObject(issue) ? issue : {}) };
}

function made(type: 'Comment' | 'Issue', data: JsonObject, writer: string): readonly LoggedAttempt[] {
  const account = objectAt(data, writer);
  const actor: JsonValue = account === null ? null : { ...account, type: 'user' };
  return madeAgain(ID, {
    eventType: `${type}.create`,
    id: idAt(data, 'id'),
    at: timeAt(data, 'createdAt'),
    headers: { 'linear-event': type },
    payload: {
      ...{ action: 'create', type, actor, createdAt: textAt(data, 'createdAt') },
      ...{ url: textAt(data, 'url'), data },
    },
  });
}
