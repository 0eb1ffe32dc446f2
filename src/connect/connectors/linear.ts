import { usageError } from '../../errors.ts';
import { getPath } from '../../lib/json.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import type { ApiRequest } from '../api.ts';
import type { Connector, RemoteHook } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, stringsAt } from '../reading.ts';

const TEXTS = ['Comment', 'Issue'];
const ALL = [
  ...TEXTS,
  ...['Attachment', 'Cycle', 'Document', 'Initiative', 'IssueLabel', 'Project', 'ProjectUpdate', 'Reaction'],
];
const TEAM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const LIST = `query($after: String) { webhooks(first: 50, after: $after) {
  nodes { id url enabled resourceTypes team { id } } pageInfo { hasNextPage endCursor } } }`;
const CREATE =
  'mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) { success webhook { id } } }';
const UPDATE =
  'mutation($id: String!, $input: WebhookUpdateInput!) { webhookUpdate(id: $id, input: $input) { success } }';
const DELETE = 'mutation($id: String!) { webhookDelete(id: $id) { success } }';

/** Hooks of one team, or of all public teams of the workspace. Source: @linear/sdk 98, `WebhookCreateInput`, `WebhookUpdateInput`. */
export const linear: Connector = {
  name: 'linear',
  targets: 'the id of a team, or the name of the workspace with --org for all public teams',
  example: 'acme --org',

  target(text, { isOrganisation }) {
    if (!isOrganisation && TEAM.test(text)) return { kind: 'team', name: text };
    if (isOrganisation && /^[\w.-]+$/.test(text)) return { kind: 'workspace', name: text };
    throw usageError(
      `${text} is no id of a team`,
      'Write the id ("Copy model UUID" in Linear), or all public teams: hookctl connect linear acme --org',
    );
  },
  // Sessions of agents are sent to the URL of an OAuth app alone.
  eventsOf: (webhook) =>
    usedEvents(webhook, {
      texts: TEXTS,
      nameOf: (type) => (type.startsWith('AgentSessionEvent') ? [] : [type.split('.')[0] ?? type]),
      all: ALL,
    }),
  right: (_, { status, text }) =>
    status === 200 && !/AUTHENTICATION|FORBIDDEN/i.test(text)
      ? null
      : 'Only an admin of the workspace may make hooks; a token of an OAuth app needs the scope admin. See https://linear.app/settings/account/security',

  list: () => listed(null),
  readList: ({ json }, { kind, name }) =>
    objectsAt(json, 'data', 'webhooks', 'nodes')
      .filter((hook) => idAt(hook, 'team', 'id') === (kind === 'team' ? name : null))
      .map(
        (hook): RemoteHook => ({
          id: idAt(hook, 'id') ?? '',
          url: textAt(hook, 'url') ?? '',
          events: stringsAt(hook, 'resourceTypes'),
          isActive: hook.enabled !== false,
          disabled: null,
          hasSecret: null,
        }),
      ),
  next({ json }) {
    const page = ['data', 'webhooks', 'pageInfo'];
    const cursor = textAt(json, ...page, 'endCursor');
    return getPath(json, [...page, 'hasNextPage']) === true && cursor !== null ? listed(cursor) : null;
  },
  create: ({ kind, name }, { url, events, secret, isActive }) =>
    ask(CREATE, {
      input: {
        ...{ url, resourceTypes: events, label: 'hookctl', enabled: isActive },
        ...(secret !== null && { secret }),
        ...(kind === 'team' ? { teamId: name } : { allPublicTeams: true }),
      },
    }),
  readCreated: (answer) => ({
    id: createdId(answer, 'data', 'webhookCreate', 'webhook', 'id'),
    secret: null,
  }),
  update: (_, id, { url, events, secret, isActive }) =>
    change(id, { url, resourceTypes: events, enabled: isActive, ...(secret !== null && { secret }) }),
  repoint: (_, id, { url }) => change(id, { url }),
  pause: (_, id, { isActive }) => change(id, { enabled: isActive }),
  remove: (_, id) => ({ ...ask(DELETE, { id }), isRepeatable: true }),
};

function ask(query: string, variables: object): ApiRequest {
  return { method: 'POST', path: '/graphql', body: { query, variables } };
}

function listed(after: string | null): ApiRequest {
  return { ...ask(LIST, { after }), isRepeatable: true };
}

function change(id: string, input: object): ApiRequest {
  return { ...ask(UPDATE, { id, input }), isRepeatable: true };
}
