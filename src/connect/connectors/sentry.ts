import { usageError } from '../../errors.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { Connector, HookSettings, RemoteHook } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, stringsAt } from '../reading.ts';

const APPS = '/api/0/sentry-apps/';
/** An integration that can be the action of an alert rule: in no list of events. */
const ALERTS = 'alerts';
const ALERT_TYPES = ['event_alert', 'metric_alert'];

/**
 * Internal integrations of an organisation, each with one hook; Sentry makes the client secret. A PUT changes what it names alone
 * (`partial=True`), although the published description asks for name and scopes. Source: getsentry/sentry, `sentry_apps/api`,
 * `SentryAppParser`, `SentryAppDetailsEndpoint`.
 */
export const sentry: Connector = {
  name: 'sentry',
  targets: 'an organisation',
  example: 'acme',
  makesSecret: true,

  target(text) {
    if (/^[\w-]+$/.test(text)) return { kind: 'organisation', name: text };
    throw usageError(`${text} is no organisation`, 'Write its slug: hookctl connect sentry acme');
  },
  eventsOf: (webhook) =>
    usedEvents(webhook, {
      texts: ['comment'],
      nameOf(type) {
        const resource = type.split('.')[0] ?? type;
        if (ALERT_TYPES.includes(resource)) return [ALERTS];
        // Sent without being asked for.
        return resource === 'installation' ? [] : [resource];
      },
      all: ['issue', 'comment', ALERTS],
    }),
  right({ name }, { status }, { baseUrl }) {
    const page = `${baseUrl}/settings/account/api/auth-tokens/`;
    if (status === 401) return `Sentry does not know the token. Make one: ${page}`;
    return `Its token needs org:write (and event:read, which the integration gets) in ${name}: the user has to be a manager or owner. Change it: ${page}`;
  },

  list: ({ name }) => ({
    method: 'GET',
    path: `/api/0${apiPath('organizations', name, 'sentry-apps')}/`,
    body: null,
  }),
  readList: ({ json }) =>
    objectsAt(json).map(
      (app): RemoteHook => ({
        id: idAt(app, 'slug') ?? '',
        url: textAt(app, 'webhookUrl') ?? '',
        events: [...stringsAt(app, 'events'), ...(app.isAlertable === true ? [ALERTS] : [])],
        isActive: true,
        disabled: null,
        hasSecret: null,
      }),
    ),
  // Its last page links a next one, too, which is empty.
  next: ({ headers }, request) => {
    const url = /<([^>]+)>\s*;\s*rel="next"\s*;\s*results="true"/.exec(headers.link ?? '')?.[1];
    return url === undefined ? null : { ...request, path: url };
  },
  create: (target, hook) => ({
    method: 'POST',
    path: APPS,
    body: {
      ...{ organization: target.name, name: 'hookctl', isInternal: true, verifyInstall: false },
      ...{ scopes: ['event:read'], ...settings(hook) },
    },
  }),
  readCreated: (answer) => ({ id: createdId(answer, 'slug'), secret: textAt(answer.json, 'clientSecret') }),
  update: (_, id, hook) => ({ method: 'PUT', path: at(id), body: settings(hook) }),
  repoint: (_, id, { url }) => ({ method: 'PUT', path: at(id), body: { webhookUrl: url } }),
  remove: (_, id) => ({ method: 'DELETE', path: at(id), body: null }),
};

function at(slug: string): string {
  return `${APPS.slice(0, -1)}${apiPath(slug)}/`;
}

function settings({ url, events }: Pick<HookSettings, 'url' | 'events'>) {
  return {
    webhookUrl: url,
    events: events.filter((name) => name !== ALERTS),
    isAlertable: events.includes(ALERTS),
  };
}
