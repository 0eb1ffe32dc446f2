import { usageError } from '../../errors.ts';
import { isJsonObject } from '../../lib/json.ts';
import { idAt, objectsAt, textAt, timeAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { Account, JsonObject } from '../../types.ts';
import { type ApiAnswer, linkedPage } from '../api.ts';
import type { Connector, HookSettings, LoggedAttempt, RemoteHook, SenderLog, Target } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, nameOf, stringsAt } from '../reading.ts';

/** Those of the form that `serve` prints. */
const TEXTS = [
  'issue_comment',
  'issues',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
];
const HOUR_MS = 3_600_000;

/**
 * Hooks of a repository or an organisation, github.com and Enterprise Server. Source: docs.github.com, REST API, "Repository
 * webhooks", "Organization webhooks"; @octokit/openapi-types 29.
 */
export const github: Connector = {
  name: 'github',
  targets: 'owner/repository, or an organisation with --org',
  example: 'acme/api',

  target(text, { isOrganisation, isApp = false }) {
    const name = nameOf(text);
    if (isApp) return { kind: 'app', name };
    if (isOrganisation && /^[\w.-]+$/.test(name)) return { kind: 'organisation', name };
    if (!isOrganisation && /^[\w.-]+\/[\w.-]+$/.test(name)) return { kind: 'repository', name };
    throw usageError(
      `${text} is no ${isOrganisation ? 'organisation' : 'repository'}`,
      isOrganisation
        ? 'Write its name: hookctl connect github acme --org'
        : 'Write owner/repository: hookctl connect github acme/api. For all of an organisation: hookctl connect github acme --org',
    );
  },
  eventsOf: (webhook) =>
    usedEvents(webhook, { texts: TEXTS, nameOf: (type) => [type.split('.')[0] ?? type], all: ['*'] }),
  right,

  list: (target) => ({
    method: 'GET',
    path: target.kind === 'app' ? APP_HOOK : `${hooks(target)}?per_page=100`,
    body: null,
  }),
  readList: ({ json }, target) =>
    (target.kind === 'app' ? [{ id: target.name, config: json }] : objectsAt(json))
      // Hooks of old service integrations have other names, and no URL.
      .filter((hook) => textAt(hook, 'config', 'url') !== null)
      .map(
        (hook): RemoteHook => ({
          id: idAt(hook, 'id') ?? '',
          url: textAt(hook, 'config', 'url') ?? '',
          // An App's events are changed on its page alone.
          events: target.kind === 'app' ? null : stringsAt(hook, 'events'),
          isActive: hook.active !== false,
          disabled: null,
          hasSecret: isJsonObject(hook.config) ? Object.hasOwn(hook.config, 'secret') : null,
        }),
      ),
  next: linkedPage,
  create(target, hook) {
    if (target.kind === 'app')
      throw usageError(
        `${target.name} is an App, whose hook is made with it`,
        'Type: hookctl connect github --app',
      );
    return { method: 'POST', path: hooks(target), body: { name: 'web', ...settings(hook) } };
  },
  readCreated: (answer) => ({ id: createdId(answer), secret: null }),
  update: (target, id, hook) =>
    target.kind === 'app'
      ? { method: 'PATCH', path: APP_HOOK, body: settings(hook).config }
      : { method: 'PATCH', path: at(target, id), body: settings(hook) },
  // A PATCH of the hook would take away the secret that its `config` does not name; this route leaves the rest.
  repoint: (target, id, { url }) => ({
    method: 'PATCH',
    path: target.kind === 'app' ? APP_HOOK : `${at(target, id)}/config`,
    body: { url },
  }),
  pause: (target, id, { isActive }) =>
    target.kind === 'app' ? null : { method: 'PATCH', path: at(target, id), body: { active: isActive } },
  remove: (target, id) =>
    target.kind === 'app' ? null : { method: 'DELETE', path: at(target, id), body: null },
  ping: (target, id) =>
    target.kind === 'app'
      ? null
      : { method: 'POST', path: `${at(target, id)}/pings`, body: null, isRepeatable: true },
  // An App's hook has no id that its API tells, but its deliveries name it as their target.
  isFrom: (headers, id) =>
    headers['x-github-hook-id'] === id || headers['x-github-hook-installation-target-type'] === 'integration',
  log: logAt((target, id) =>
    target.kind === 'app' ? '/app/hook/deliveries' : `${at(target, id)}/deliveries`,
  ),
};

/** The hook of an App, asked about with its key. */
const APP_HOOK = '/app/hook/config';

function hooks({ kind, name }: Target): string {
  return apiPath(kind === 'organisation' ? 'orgs' : 'repos', ...name.split('/'), 'hooks');
}

function at(target: Target, id: string): string {
  return hooks(target) + apiPath(id);
}

/** All of it: `config` replaces what it does not name, `events` too. */
function settings({ url, events, secret, isActive }: HookSettings) {
  const config = { url, content_type: 'json', insecure_ssl: '0', ...(secret !== null && { secret }) };
  return { config, events, active: isActive };
}

/** GitHub answers 404, too, where a token may not see hooks. */
function right(
  { kind, name }: Target,
  { status, headers }: Pick<ApiAnswer, 'status' | 'headers'>,
  { baseUrl }: Pick<Account, 'baseUrl'>,
): string {
  const site =
    new URL(baseUrl).hostname === 'api.github.com' ? 'https://github.com' : new URL(baseUrl).origin;
  if (kind === 'app')
    return `The App ${name} is asked with its key. Was the App deleted, or the key? Look at ${site}/settings/apps/${name}`;
  if (status === 401)
    return `GitHub does not know the token, or it has ended. Make one: ${site}/settings/tokens`;
  const [scope, permission] =
    kind === 'organisation'
      ? ['admin:org_hook', 'the organization permission "Webhooks: Read and write"']
      : ['admin:repo_hook', 'the repository permission "Webhooks: Read and write"'];
  const has = headers['x-oauth-scopes'];
  const now = has === undefined ? '' : ` It has: ${has === '' ? 'none' : has}.`;
  return `Its token needs the scope ${scope} (classic) or ${permission} (fine-grained) for ${name}, and its user has to administer it.${now} Change it: ${site}/settings/tokens`;
}

/** The log below a path, of a hook or of an App: 3 days on github.com. */
function logAt(path: (target: Target, hookId: string) => string): SenderLog {
  return {
    windowMs: 72 * HOUR_MS,
    attempts: (target, id) => ({ method: 'GET', path: `${path(target, id)}?per_page=100`, body: null }),
    readAttempts: ({ json }) => objectsAt(json).map(readAttempt),
    takes: ({ eventType }) => eventType !== 'ping',
    next: linkedPage,
    payload: (target, id, attempt) => ({
      method: 'GET',
      path: path(target, id) + apiPath(attempt),
      body: null,
    }),
    readPayload({ json }) {
      const request = isJsonObject(json) ? json.request : null;
      if (!isJsonObject(request) || !isJsonObject(request.payload)) return null;
      const headers = Object.entries(isJsonObject(request.headers) ? request.headers : {});
      return {
        headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
        payload: request.payload,
      };
    },
    redeliver: (target, id, attempt) => ({
      method: 'POST',
      path: `${path(target, id)}${apiPath(attempt)}/attempts`,
      body: null,
    }),
  };
}

function readAttempt(item: JsonObject): LoggedAttempt {
  const [event, action] = [textAt(item, 'event') ?? '', textAt(item, 'action')];
  return {
    id: idAt(item, 'id') ?? '',
    deliveryId: textAt(item, 'guid') ?? '',
    at: timeAt(item, 'delivered_at') ?? 0,
    // GitHub counts a redirect as a success, although nothing followed it.
    hasArrived: typeof item.status_code === 'number' && item.status_code >= 200 && item.status_code < 300,
    eventType: action === null ? event : `${event}.${action}`,
  };
}
