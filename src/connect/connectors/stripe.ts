import { usageError } from '../../errors.ts';
import { getPath } from '../../lib/json.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { ApiRequest } from '../api.ts';
import type { Connector, RemoteHook } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, stringsAt } from '../reading.ts';

const ENDPOINTS = '/v1/webhook_endpoints';

/** Endpoints of an account. Source: docs.stripe.com/api/webhook_endpoints; the secret is told when one is made, never again. */
export const stripe: Connector = {
  name: 'stripe',
  targets: 'a name for the account, which the API key tells',
  example: 'live',
  makesSecret: true,

  target(text) {
    if (/^[\w.-]+$/.test(text)) return { kind: 'account', name: text };
    throw usageError(
      `${text} is no name`,
      'Write any name for the account of the key: hookctl connect stripe live',
    );
  },
  // Groups have no name of their own there.
  eventsOf: (webhook) =>
    usedEvents(webhook, { texts: [], nameOf: (type, isGroup) => (isGroup ? ['*'] : [type]), all: ['*'] }),
  authorize: ({ token }) => ({ authorization: `Bearer ${token.reveal()}` }),
  right(_, { status }) {
    const page = 'https://dashboard.stripe.com/apikeys';
    return status === 401
      ? `Stripe does not know the key. Make one: ${page}`
      : `A restricted key needs "Webhook Endpoints: Write". Change it: ${page}`;
  },

  list: () => ({ method: 'GET', path: `${ENDPOINTS}?limit=100`, body: null }),
  readList: ({ json }) =>
    objectsAt(json, 'data').map(
      (hook): RemoteHook => ({
        id: idAt(hook, 'id') ?? '',
        url: textAt(hook, 'url') ?? '',
        events: stringsAt(hook, 'enabled_events'),
        isActive: hook.status !== 'disabled',
        disabled: null,
        hasSecret: null,
      }),
    ),
  next({ json }, request) {
    const last = objectsAt(json, 'data').at(-1);
    const id = last === undefined ? null : idAt(last, 'id');
    const path = `${ENDPOINTS}?limit=100&starting_after=${encodeURIComponent(id ?? '')}`;
    return getPath(json, ['has_more']) === true && id !== null ? { ...request, path } : null;
  },
  create: (_, { url, events }) => ({
    method: 'POST',
    path: ENDPOINTS,
    body: form({ url, description: 'hookctl' }, events),
  }),
  readCreated: (answer) => ({ id: createdId(answer), secret: textAt(answer.json, 'secret') }),
  update: (_, id, { url, events, isActive }) =>
    change(id, form({ url, disabled: String(!isActive) }, events)),
  repoint: (_, id, { url }) => change(id, form({ url })),
  pause: (_, id, { isActive }) => change(id, form({ disabled: String(!isActive) })),
  remove: (_, id) => ({ method: 'DELETE', path: ENDPOINTS + apiPath(id), body: null }),
};

function form(fields: Readonly<Record<string, string>>, events: readonly string[] = []): URLSearchParams {
  return new URLSearchParams([
    ...Object.entries(fields),
    ...events.map((event): [string, string] => ['enabled_events[]', event]),
  ]);
}

function change(id: string, body: URLSearchParams): ApiRequest {
  return { method: 'POST', path: ENDPOINTS + apiPath(id), body, isRepeatable: true };
}
