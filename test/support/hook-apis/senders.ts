import type { JsonObject, JsonValue } from '../../../src/types.ts';
import { githubApi } from './github.ts';
import {
  type ApiCall,
  type KeptHook,
  type LoopbackSpec,
  type LoopbackState,
  linkedPage,
  numeric,
  type Reply,
} from './loopback.ts';

type Route = LoopbackSpec['route'];

/** What differs between REST APIs of hooks. */
interface RestSpec {
  /** The place, and the id, of a path. Null for another path. */
  at(call: ApiCall): { readonly place: string; readonly id: string | null; readonly rest: string } | null;
  readonly update: 'PATCH' | 'PUT' | 'POST';
  readonly created: number;
  /** Sets what a body gives, as this API does it. */
  apply(hook: KeptHook, body: JsonObject, isNew: boolean): void;
  show(hook: KeptHook): JsonObject;
  list(hooks: readonly JsonObject[], call: ApiCall, state: LoopbackState): Reply;
  /** Beside what `show` has, in the answer that tells of a new hook. */
  readonly shownOnce?: (hook: KeptHook) => JsonObject;
  newId?(state: LoopbackState): string;
  test?(hook: KeptHook, rest: string, state: LoopbackState): Reply | null;
}

function rest(spec: RestSpec): Route {
  return (call, state) => {
    const found = spec.at(call);
    if (found === null) return null;
    const { place, id, rest: further } = found;
    if (id === null) {
      const kept = state.hooks.filter((hook) => hook.place === place);
      if (call.method === 'GET') return spec.list(kept.map(spec.show), call, state);
      const hook: KeptHook = {
        ...{ id: spec.newId?.(state) ?? state.nextId(), place },
        ...{ url: '', events: [], secret: null, isActive: true },
      };
      spec.apply(hook, call.body, true);
      state.hooks.push(hook);
      return { status: spec.created, json: { ...spec.show(hook), ...spec.shownOnce?.(hook) } };
    }
    const hook = state.hooks.find((each) => each.id === id && each.place === place);
    if (hook === undefined) return null;
    if (further !== '') return spec.test?.(hook, further, state) ?? null;
    if (call.method === 'DELETE') {
      state.hooks.splice(state.hooks.indexOf(hook), 1);
      return { status: 204 };
    }
    if (call.method === spec.update) spec.apply(hook, call.body, false);
    return { status: 200, json: spec.show(hook) };
  };
}

const strings = (value: JsonValue | undefined) => (Array.isArray(value) ? value.map(String) : []);
const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : null);

/** @gitbeaker/core 43, `ExpandedHookSchema`; `WebHook#reset_token` of GitLab: a new URL takes away a token that is not given again. */
const gitlab = rest({
  at({ path }) {
    const [, place = null, id = null, further = ''] =
      /^\/api\/v4(\/(?:projects|groups)\/[^/]+)\/hooks(?:\/(\d+))?(\/test\/\w+)?$/.exec(path) ?? [];
    return place === null ? null : { place: decodeURIComponent(place), id, rest: further };
  },
  update: 'PUT',
  created: 201,
  apply(hook, body, isNew) {
    const url = text(body.url) ?? hook.url;
    if (text(body.token) !== null) hook.secret = text(body.token);
    else if (url !== hook.url) hook.secret = null;
    hook.url = url;
    const isOn = (name: string) =>
      typeof body[name] === 'boolean'
        ? body[name]
        : isNew
          ? name === 'push_events'
          : hook.events.includes(name);
    const names = [
      ...Object.keys(body).filter((name) => name.endsWith('_events')),
      'push_events',
      ...hook.events,
    ];
    hook.events = [...new Set(names)].filter(isOn);
  },
  show: ({ id, url, events }) => ({
    ...{ id: numeric(id), url, alert_status: 'executable', disabled_until: null },
    ...{ push_events: false, enable_ssl_verification: true, repository_update_events: false },
    ...Object.fromEntries(events.map((name) => [name, true])),
  }),
  list: (hooks, call, state) => linkedPage(hooks, call, state.url()),
  test(hook, _, state) {
    state.ping(hook);
    return { status: 201, json: { message: '201 Created' } };
  },
});

/** gitea-js 1.23, `CreateHookOption`, `EditHookOption`; `editHook` of Gitea: no secret, and `push` where no event is named. */
const gitea = rest({
  at({ path }) {
    const [, place = null, id = null, further = ''] =
      /^\/api\/v1(\/repos\/[^/]+\/[^/]+|\/orgs\/[^/]+)\/hooks(?:\/(\d+))?(\/tests)?$/.exec(path) ?? [];
    return place === null ? null : { place, id, rest: further };
  },
  update: 'PATCH',
  created: 201,
  apply(hook, body, isNew) {
    const config = (body.config ?? {}) as JsonObject;
    hook.url = text(config.url) ?? hook.url;
    if (isNew) hook.secret = text(config.secret);
    const events = strings(body.events);
    const all = (events.length === 0 ? ['push'] : events).flatMap((name) =>
      name === 'issues' ? ['issues', 'issue_assign', 'issue_label', 'issue_comment'] : [name],
    );
    hook.events = [...new Set(all)];
    if (typeof body.active === 'boolean') hook.isActive = body.active;
  },
  show: ({ id, url, events, isActive }) => ({
    ...{ id: numeric(id), type: 'gitea', active: isActive, events: [...events] },
    config: { url, content_type: 'json' },
  }),
  list: (hooks, call, state) => linkedPage(hooks, call, state.url()),
  test(hook, _, state) {
    state.ping(hook);
    return { status: 204 };
  },
});

/** bitbucket 2.12, `WebhookSubscription`: PUT replaces all but a secret that it does not name. */
const bitbucket = rest({
  at({ path }) {
    const [, place = null, id = null] =
      /^\/2\.0(\/repositories\/[^/]+\/[^/]+|\/workspaces\/[^/]+)\/hooks(?:\/([^/]+))?$/.exec(path) ?? [];
    return place === null ? null : { place, id: id === null ? null : decodeURIComponent(id), rest: '' };
  },
  update: 'PUT',
  created: 201,
  apply(hook, body) {
    hook.url = text(body.url) ?? '';
    hook.events = strings(body.events);
    hook.isActive = body.active === true;
    if ('secret' in body) hook.secret = text(body.secret);
  },
  show: ({ id, url, events, isActive, secret }) => ({
    ...{ uuid: id, url, events: [...events], active: isActive, secret_set: secret !== null },
  }),
  list(hooks, call, state) {
    const { json, headers } = linkedPage(hooks, call, state.url());
    const next = /<([^>]+)>; rel="next"/.exec(headers?.link ?? '')?.[1];
    return { status: 200, json: { values: json ?? [], ...(next !== undefined && { next }) } };
  },
  newId: (state) => `{3d9f0b0e-0000-4000-8000-${state.nextId().slice(-12)}}`,
});

/** "Webhooks", developer.atlassian.com: the id is in `self`, a PUT replaces, the list has no pages. */
const jira = rest({
  at({ path }) {
    const [, id = null] = /^\/rest\/webhooks\/1\.0\/webhook(?:\/(\d+))?$/.exec(path) ?? [];
    return path.startsWith('/rest/webhooks/1.0/webhook') ? { place: '/site', id, rest: '' } : null;
  },
  update: 'PUT',
  created: 201,
  apply(hook, body) {
    hook.url = text(body.url) ?? '';
    hook.events = strings(body.events);
    hook.secret = text(body.secret);
    hook.isActive = body.enabled !== false;
  },
  show: ({ id, url, events, secret, isActive }) => ({
    ...{ name: 'hookctl PROJ', url, events: [...events], enabled: isActive, isSigned: secret !== null },
    filters: { 'issue-related-events-section': 'project = PROJ' },
    self: `https://acme.example/rest/webhooks/1.0/webhook/${id}`,
  }),
  list: (hooks) => ({ status: 200, json: [...hooks] }),
});

/** stripe 20, `WebhookEndpointsResource`: the secret is in the answer to the creation alone. */
const stripe = rest({
  at({ path }) {
    const [, id = null] = /^\/v1\/webhook_endpoints(?:\/(\w+))?$/.exec(path) ?? [];
    return path.startsWith('/v1/webhook_endpoints') ? { place: '/account', id, rest: '' } : null;
  },
  update: 'POST',
  created: 200,
  apply(hook, body, isNew) {
    hook.url = text(body.url) ?? hook.url;
    if ('enabled_events[]' in body) hook.events = strings(body['enabled_events[]']);
    if ('disabled' in body) hook.isActive = body.disabled !== 'true';
    if (isNew) hook.secret = `whsec_made_${hook.id}`;
  },
  show: ({ id, url, events, isActive }) => ({
    ...{ id, object: 'webhook_endpoint', url, enabled_events: [...events] },
    status: isActive ? 'enabled' : 'disabled',
  }),
  shownOnce: ({ secret }) => ({ secret }),
  list(hooks, { query }) {
    const from = hooks.findIndex(({ id }) => id === query.get('starting_after')) + 1;
    return {
      status: 200,
      json: { object: 'list', data: hooks.slice(from, from + 2), has_more: from + 2 < hooks.length },
    };
  },
  newId: (state) => `we_${state.nextId()}`,
});

/** getsentry/sentry, `SentryAppParser`: the client secret is Sentry's, and told to whom makes the integration. */
const sentryApps = rest({
  at({ path }) {
    const [, id = null] = /^\/api\/0\/sentry-apps\/(?:([\w-]+)\/)?$/.exec(path) ?? [];
    const isList = /^\/api\/0\/organizations\/[\w-]+\/sentry-apps\/$/.test(path);
    return isList || path.startsWith('/api/0/sentry-apps/') ? { place: '/acme', id, rest: '' } : null;
  },
  update: 'PUT',
  created: 201,
  apply(hook, body, isNew) {
    hook.url = text(body.webhookUrl) ?? hook.url;
    const alerts = body.isAlertable === true ? ['alerts'] : [];
    if ('events' in body) hook.events = [...strings(body.events), ...alerts];
    if (isNew) hook.secret = `made-${hook.id}`;
  },
  show: ({ id, url, events }) => ({
    ...{ slug: id, uuid: id, name: 'hookctl', status: 'internal', webhookUrl: url },
    ...{ events: events.filter((name) => name !== 'alerts'), isAlertable: events.includes('alerts') },
  }),
  shownOnce: ({ secret }) => ({ clientSecret: secret }),
  list(hooks, { path, query }, state) {
    const page = Number(query.get('cursor') ?? 0);
    const more = (page + 1) * 2 < hooks.length;
    const link = `<${state.url()}${path}?cursor=0>; rel="previous"; results="false", <${state.url()}${path}?cursor=${page + 1}>; rel="next"; results="${more}"`;
    return { status: 200, json: hooks.slice(page * 2, page * 2 + 2), headers: { link } };
  },
  newId: (state) => `hookctl-${state.nextId().slice(-6)}`,
});

/** @linear/sdk 98: one endpoint, pages by cursor. */
const linear: Route = ({ path, body }, state) => {
  if (path !== '/graphql') return null;
  const query = String(body.query);
  const { id, input, after } = body.variables as { id?: string; input?: JsonObject; after?: string | null };
  const hook = state.hooks.find((each) => each.id === id);
  const done = (name: string, more: JsonObject = {}): Reply => ({
    status: 200,
    json: { data: { [name]: { success: true, ...more } } },
  });
  const set = (target: KeptHook, given: JsonObject) => {
    target.url = text(given.url) ?? target.url;
    if ('resourceTypes' in given) target.events = strings(given.resourceTypes);
    if ('secret' in given) target.secret = text(given.secret);
    if (typeof given.enabled === 'boolean') target.isActive = given.enabled;
  };
  if (query.includes('webhookCreate')) {
    const made: KeptHook = {
      ...{ id: `hook-${state.nextId()}`, place: '/graphql', url: '' },
      ...{ events: [], secret: null, isActive: true },
    };
    set(made, input ?? {});
    state.hooks.push(made);
    return done('webhookCreate', { webhook: { id: made.id } });
  }
  if (query.includes('webhooks(')) {
    const from = Number(after ?? 0);
    const nodes = state.hooks.slice(from, from + 2).map((each) => ({
      ...{ id: each.id, url: each.url, enabled: each.isActive, resourceTypes: [...each.events], team: null },
    }));
    const hasNextPage = from + 2 < state.hooks.length;
    const pageInfo = { hasNextPage, endCursor: String(from + 2) };
    return { status: 200, json: { data: { webhooks: { nodes, pageInfo } } } };
  }
  if (hook === undefined) return { status: 200, json: { errors: [{ message: 'Entity not found' }] } };
  if (query.includes('webhookDelete')) {
    state.hooks.splice(state.hooks.indexOf(hook), 1);
    return done('webhookDelete');
  }
  set(hook, input ?? {});
  return done('webhookUpdate');
};

/** A sender in the suite of connectors. */
export interface SenderCase {
  readonly spec: LoopbackSpec;
  /** As it is typed. */
  readonly target: string;
  readonly isOrganisation?: boolean;
  /** Where its hooks are. */
  readonly place: string;
}

const bearer = (name: string) => (headers: Readonly<Record<string, string>>) =>
  headers.authorization === `Bearer token-of-${name}`;

export const SENDERS: Readonly<Record<string, SenderCase>> = {
  github: { spec: githubApi, target: 'acme/api', place: '/repos/acme/api' },
  gitlab: {
    spec: { route: gitlab, isAuthorized: (headers) => headers['private-token'] === 'token-of-gitlab' },
    ...{ target: 'acme/tools/api', place: '/projects/acme/tools/api' },
  },
  gitea: {
    spec: { route: gitea, isAuthorized: ({ authorization }) => authorization === 'token token-of-gitea' },
    ...{ target: 'acme/api', place: '/repos/acme/api' },
  },
  bitbucket: {
    spec: { route: bitbucket, isAuthorized: bearer('bitbucket') },
    ...{ target: 'acme/api', place: '/repositories/acme/api' },
  },
  jira: { spec: { route: jira, isAuthorized: bearer('jira') }, target: 'proj', place: '/site' },
  linear: {
    spec: { route: linear, isAuthorized: bearer('linear') },
    ...{ target: 'acme', isOrganisation: true, place: '/graphql' },
  },
  sentry: { spec: { route: sentryApps, isAuthorized: bearer('sentry') }, target: 'acme', place: '/acme' },
  stripe: { spec: { route: stripe, isAuthorized: bearer('stripe') }, target: 'live', place: '/account' },
};
