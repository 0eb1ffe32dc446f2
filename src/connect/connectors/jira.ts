import { usageError } from '../../errors.ts';
import { isCloud } from '../../providers/jira/site.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { JsonValue } from '../../types.ts';
import type { Connector, HookSettings, RemoteHook, Target } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, stringsAt } from '../reading.ts';

const TEXTS = ['comment_created', 'jira:issue_created'];
const ALL = [
  ...TEXTS,
  ...['comment_updated', 'comment_deleted', 'jira:issue_updated', 'jira:issue_deleted'],
  ...['sprint_created', 'sprint_started', 'sprint_closed', 'jira:version_released'],
];
const HOOKS = '/rest/webhooks/1.0/webhook';
/** Data Center from version 10 on. */
const DC_HOOKS = '/rest/jira-webhook/1.0/webhooks';
const FILTER = 'issue-related-events-section';

/**
 * Hooks that an administrator makes ("admin webhooks"), of one project or the whole site: they do not end after 30 days, as those of
 * apps do. Source: developer.atlassian.com/cloud/jira/platform/webhooks, "Registering a webhook using the REST API".
 */
export const jira: Connector = {
  name: 'jira',
  targets: 'the key of a project, or the name of the site with --org',
  example: 'PROJ',

  at: async (account) => (isCloud(account) ? null : jiraDataCenter),
  target(text, { isOrganisation }) {
    if (isOrganisation && /^[\w.:/-]+$/.test(text)) return { kind: 'site', name: text };
    if (!isOrganisation && /^[A-Za-z][A-Za-z0-9_]+$/.test(text))
      return { kind: 'project', name: text.toUpperCase() };
    throw usageError(
      `${text} is no key of a project`,
      'Write it as in issue keys: hookctl connect jira PROJ. For all projects: hookctl connect jira acme --org',
    );
  },
  eventsOf: (webhook) => usedEvents(webhook, { texts: TEXTS, nameOf: (type) => [type], all: ALL }),
  right(_, { status }) {
    const page = 'https://id.atlassian.com/manage-profile/security/api-tokens';
    if (status === 401)
      return `Jira does not know the token, or the e-mail address is another one's. Make one: ${page}`;
    return `Only an administrator of the site may make hooks: the user of the token needs the global permission "Administer Jira". Tokens: ${page}`;
  },

  list: () => ({ method: 'GET', path: HOOKS, body: null }),
  // The list is of the whole site: hooks of other projects are of other targets.
  readList: ({ json }, target) =>
    objectsAt(json)
      .filter((hook) => (textAt(hook, 'filters', FILTER) ?? '') === filterOf(target))
      .map(
        (hook): RemoteHook => ({
          id: idOf(hook) ?? '',
          url: textAt(hook, 'url') ?? '',
          events: stringsAt(hook, 'events'),
          isActive: hook.enabled !== false,
          disabled: null,
          hasSecret: typeof hook.isSigned === 'boolean' ? hook.isSigned : null,
        }),
      ),
  create: (target, hook) => ({ method: 'POST', path: HOOKS, body: settings(target, hook) }),
  readCreated: (answer) => ({ id: idOf(answer.json) ?? createdId(answer), secret: null }),
  update,
  // The same secret is given again: what a PUT leaves out is taken away.
  repoint: update,
  remove: (_, id) => ({ method: 'DELETE', path: HOOKS + apiPath(id), body: null }),
};

/**
 * The same at a Data Center, version 10 or later. Its list does not say what a hook is filtered by: the name says whose it is.
 * Source: jira.js 6, `server/api/webhooks`; the secret is a part of `configuration`, and each change gives all again.
 */
const jiraDataCenter: Connector = {
  ...jira,
  right(_, { status }, { baseUrl }) {
    const page = `${baseUrl}/secure/ViewProfile.jspa?selectedTab=com.atlassian.pats.pats-plugin:jira-user-personal-access-tokens`;
    if (status === 401) return `Jira does not know the token. Make one: ${page}`;
    if (status === 404)
      return `Hooks are made at Jira Data Center 10 and later, which has ${DC_HOOKS}. Is ${baseUrl} its address?`;
    return `Only an administrator may make hooks: the user of the token needs the global permission "Jira Administrators". Tokens: ${page}`;
  },
  list: () => ({ method: 'GET', path: `${DC_HOOKS}?limit=${DC_PAGE}`, body: null }),
  readList: ({ json }, target) =>
    objectsAt(json)
      .filter((hook) => {
        const name = textAt(hook, 'name') ?? '';
        return !name.startsWith('hookctl ') || name === nameOf(target);
      })
      .map(
        (hook): RemoteHook => ({
          ...{
            id: idAt(hook, 'id') ?? '',
            url: textAt(hook, 'url') ?? '',
            events: stringsAt(hook, 'events'),
          },
          ...{ isActive: hook.active !== false, disabled: null, hasSecret: null },
        }),
      ),
  next({ json }, { path }) {
    if (objectsAt(json).length !== DC_PAGE) return null;
    const from = Number(/start=(\d+)/.exec(path)?.[1] ?? 0) + DC_PAGE;
    return { method: 'GET', path: `${DC_HOOKS}?limit=${DC_PAGE}&start=${from}`, body: null };
  },
  create: (target, hook) => ({ method: 'POST', path: DC_HOOKS, body: dataCenterSettings(target, hook) }),
  readCreated: (answer) => ({ id: createdId(answer), secret: null }),
  update: updateDataCenter,
  repoint: updateDataCenter,
  remove: (_, id) => ({ method: 'DELETE', path: DC_HOOKS + apiPath(id), body: null }),
};

const DC_PAGE = 100;

function updateDataCenter(...[target, id, hook]: Parameters<Connector['update']>) {
  return { method: 'PUT', path: DC_HOOKS + apiPath(id), body: dataCenterSettings(target, hook) } as const;
}

function dataCenterSettings(target: Target, { url, events, secret, isActive }: HookSettings) {
  return {
    ...{ name: nameOf(target), url, events, active: isActive },
    ...{ filters: { [FILTER]: filterOf(target) }, excludeBody: false, sslVerificationRequired: true },
    configuration: { EXCLUDE_BODY: 'false', ...(secret !== null && { SECRET: secret }) },
  };
}

function nameOf({ name }: Target): string {
  return `hookctl ${name}`;
}

function update(...[target, id, hook]: Parameters<Connector['update']>) {
  return { method: 'PUT', path: HOOKS + apiPath(id), body: settings(target, hook) } as const;
}

function settings(target: Target, { url, events, secret, isActive }: HookSettings) {
  return {
    name: nameOf(target),
    url,
    events,
    enabled: isActive,
    filters: { [FILTER]: filterOf(target) },
    excludeBody: false,
    ...(secret !== null && { secret }),
  };
}

function filterOf({ kind, name }: Target): string {
  return kind === 'project' ? `project = ${name}` : '';
}

/** Told by its address alone: `…/rest/webhooks/1.0/webhook/72`. */
function idOf(hook: JsonValue): string | null {
  return /\/webhook\/(\d+)$/.exec(textAt(hook, 'self') ?? '')?.[1] ?? null;
}
