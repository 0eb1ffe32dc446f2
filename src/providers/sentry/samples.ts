import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://acme.sentry.io';
const API = 'https://sentry.io/api/0';
const TITLE = 'TypeError: Cannot read properties of undefined (reading "id")';

/** Payloads as Sentry sends them, cut to the fields that are read, of one organisation. */
export const samples: readonly Sample[] = [
  { type: 'issue.created', build: (context) => envelope('created', { issue: issue(context) }, SENTRY) },
  { type: 'issue.assigned', build: (context) => envelope('assigned', { issue: issue(context) }, PERSON) },
  { type: 'issue.resolved', build: (context) => envelope('resolved', { issue: issue(context) }, PERSON) },
  { type: 'comment.created', build: (context) => envelope('created', comment(context), PERSON) },
  { type: 'comment.updated', build: (context) => envelope('updated', comment(context), PERSON) },
  {
    type: 'event_alert.triggered',
    build: (context) =>
      envelope(
        'triggered',
        { event: event(context), triggered_rule: 'Many errors', issue_alert: null },
        SENTRY,
      ),
  },
  { type: 'metric_alert.critical', build: (context) => envelope('critical', metricAlert(context), SENTRY) },
  { type: 'error.created', build: (context) => envelope('created', { error: event(context) }, SENTRY) },
  {
    type: 'installation.created',
    build: (context) =>
      envelope('created', { installation: { uuid: uuid(context), status: 'installed' } }, PERSON),
  },
];

const SENTRY = { type: 'application', id: 'sentry', name: 'Sentry' };
const PERSON = { type: 'user', id: 789, name: 'Ada Lovelace' };

function envelope(action: string, data: JsonObject, actor: JsonObject): JsonObject {
  return { action, installation: { uuid: '24b3d1c8-3c1a-4bd1-9f5e-0c9a3f0e7a11' }, data, actor };
}

function issue(context: SampleContext): JsonObject {
  const id = String(context.nextNumber());
  return {
    id,
    shortId: 'WEB-1',
    title: TITLE,
    culprit: 'login(src/login)',
    level: 'error',
    status: 'unresolved',
    substatus: 'new',
    platform: 'javascript',
    project: { id: '1', name: 'web', slug: 'web', platform: 'javascript' },
    count: '1',
    userCount: 1,
    firstSeen: context.now.toISOString(),
    lastSeen: context.now.toISOString(),
    url: `${API}/organizations/acme/issues/${id}/`,
    web_url: `${WEB}/issues/${id}/`,
    project_url: `${WEB}/issues/?project=1`,
  };
}

/** No title and no link: Sentry sends none. */
function comment(context: SampleContext): JsonObject {
  return {
    comment: context.text,
    comment_id: context.nextNumber(),
    issue_id: context.nextNumber(),
    project_slug: 'web',
    timestamp: context.now.toISOString(),
  };
}

function event(context: SampleContext): JsonObject {
  const issueId = String(context.nextNumber());
  const eventId = uuid(context).replaceAll('-', '');
  return {
    event_id: eventId,
    issue_id: issueId,
    title: TITLE,
    culprit: 'login(src/login)',
    level: 'error',
    platform: 'javascript',
    datetime: context.now.toISOString(),
    exception: { values: [exception()] },
    issue_url: `${API}/organizations/acme/issues/${issueId}/`,
    url: `${API}/projects/acme/web/events/${eventId}/`,
    web_url: `${WEB}/issues/${issueId}/events/${eventId}/`,
  };
}

/** The oldest frame comes first. */
function exception(): JsonObject {
  const frame = (name: string, lineno: number, context_line: string, in_app: boolean): JsonObject => ({
    filename: in_app ? 'src/login.ts' : 'node:internal/process/task_queues',
    function: name,
    lineno,
    context_line,
    in_app,
  });
  return {
    type: 'TypeError',
    value: 'Cannot read properties of undefined (reading "id")',
    stacktrace: {
      frames: [
        frame('processTicksAndRejections', 103, '', false),
        frame('handle', 12, 'return login(request.session)', true),
        frame('login', 42, 'return session.user.id', true),
      ],
    },
  };
}

function metricAlert(context: SampleContext): JsonObject {
  const id = String(context.nextNumber());
  return {
    metric_alert: {
      id,
      identifier: id,
      title: 'Error rate',
      status: 20,
      date_started: context.now.toISOString(),
    },
    description_title: 'Critical: Error rate',
    description_text: '1000 events in the last 10 minutes',
    web_url: `${WEB}/alerts/rules/details/${id}/`,
  };
}

function uuid({ nextNumber }: SampleContext): string {
  const digits = nextNumber().toString(16).padStart(32, '0');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
