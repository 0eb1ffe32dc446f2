import type { LoggedAttempt, SenderLog } from '../../connect/connector.ts';
import { idAt, objectsAt, textAt, timeAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { JsonObject } from '../../types.ts';
import { madeAgain, minutes, WINDOW_MS } from './made-again.ts';

/**
 * Issues that were new since: Sentry lists what it sent without bodies. Comments, alerts and other changes are not made again.
 * Source: docs.sentry.io, API, "List an organization's issues".
 */
export const sentryLog: SenderLog = {
  windowMs: WINDOW_MS,
  isBounded: true,
  untold: 'comments, alerts and changes of issues',
  attempts: ({ name }, _hook, ageMs) => {
    const age = minutes(ageMs);
    const query = { query: `firstSeen:-${age}m`, sort: 'new', statsPeriod: `${age}m`, limit: '100' };
    const path = `/api/0${apiPath('organizations', name, 'issues')}/`;
    return { method: 'GET', path: `${path}?${new URLSearchParams(query)}`, body: null };
  },
  readAttempts: ({ json }) => objectsAt(json).flatMap(readIssue),
  takes: (_, events) => events.includes('issue'),
  // Its last page links a next one, too, which is empty.
  next({ headers }, request) {
    const url = /<([^>]+)>\s*;\s*rel="next"\s*;\s*results="true"/.exec(headers.link ?? '')?.[1];
    return url === undefined ? null : { ...request, path: url };
  },
};

function readIssue(issue: JsonObject): readonly LoggedAttempt[] {
  return madeAgain('request-id', {
    eventType: 'issue.created',
    id: idAt(issue, 'id'),
    at: timeAt(issue, 'firstSeen'),
    headers: { 'sentry-hook-resource': 'issue' },
    payload: {
      action: 'created',
      actor: { type: 'application', id: 'sentry', name: 'Sentry' },
      // Webhooks call its page so.
      data: { issue: { ...issue, web_url: textAt(issue, 'permalink') } },
    },
  });
}
