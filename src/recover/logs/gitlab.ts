import { linkedPage } from '../../connect/api.ts';
import type { LoggedAttempt, SenderLog, Target } from '../../connect/connector.ts';
import { isJsonObject } from '../../lib/json.ts';
import { idAt, objectAt, objectsAt, textAt, timeAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { Headers, JsonObject } from '../../types.ts';

const DAY_MS = 86_400_000;

/**
 * Events of a hook of a project or group: 7 days, each with what was sent, e-mail addresses taken out. GitLab sends one again
 * only to the URL that it was sent to, five a minute. Source: docs.gitlab.com, REST API, "Project webhooks", "Group webhooks".
 */
export const gitlabLog: SenderLog = {
  windowMs: 7 * DAY_MS,
  mostResent: 5,
  attempts: (target, id) => ({ method: 'GET', path: `${events(target, id)}?per_page=20`, body: null }),
  readAttempts: ({ json }) => objectsAt(json).map(readAttempt),
  next: linkedPage,
  redeliver: (target, id, attempt) => ({
    method: 'POST',
    path: `${events(target, id)}${apiPath(attempt)}/resend`,
    body: null,
  }),
};

function events({ kind, name }: Target, id: string): string {
  return apiPath('api', 'v4', kind === 'group' ? 'groups' : 'projects', name, 'hooks', id, 'events');
}

/** The list names no time: the payload's own is near it. */
function readAttempt(item: JsonObject): LoggedAttempt {
  const payload = objectAt(item, 'request_data') ?? {};
  const headers = headersOf(item);
  const id = idAt(item, 'id') ?? '';
  return {
    id,
    deliveryId: headers['webhook-id'] ?? headers['idempotency-key'] ?? id,
    at:
      timeAt(payload, 'object_attributes', 'updated_at') ??
      timeAt(payload, 'object_attributes', 'created_at'),
    hasArrived: /^2\d\d$/.test(textAt(item, 'response_status') ?? ''),
    eventType: textAt(payload, 'object_kind'),
    url: textAt(item, 'url'),
    request: { headers, payload },
  };
}

function headersOf(item: JsonObject): Headers {
  const told = isJsonObject(item.request_headers) ? item.request_headers : {};
  return Object.fromEntries(Object.entries(told).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
