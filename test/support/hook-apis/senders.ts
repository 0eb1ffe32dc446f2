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

/** jira.js 6, `WebhookInput`: the secret is in `configuration`, is not told, and a PUT replaces. Pages by `start` and `limit`. */
const jiraDataCenter = rest({
  at({ path }) {
    const [, id = null] = /^\/rest\/jira-webhook\/1\.0\/webhooks(?:\/(\d+))?$/.exec(path) ?? [];
    return path.startsWith('/rest/jira-webhook/1.0/webhooks') ? { place: '/site', id, rest: '' } : null;
  },
  update: 'PUT',
  created: 201,
  apply(hook, body) {
    hook.url = text(body.url) ?? '';
    hook.events = strings(body.events);
    hook.secret = text((body.configuration as JsonObject | undefined)?.SECRET);
    hook.isActive = body.active !== false;
  },
  show: ({ id, url, events, isActive, secret }) => ({
    ...{ id: numeric(id), name: secret === 'theirs' ? 'CI' : 'hookctl PROJ', url, events: [...events] },
    ...{ active: isActive, scopeType: 'global', configuration: { EXCLUDE_BODY: 'false' } },
  }),
  list(hooks, { query }) {
    const start = Number(query.get('start') ?? 0);
    return { status: 200, json: hooks.slice(start, start + Number(query.get('limit') ?? 25)) };
  },
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

/** shopify.dev, GraphQL Admin API: one subscription for each topic; mutations run one after the other, refusals are `userErrors`. */
const shopify: Route = ({ path, body }, state) => {
  if (path !== '/admin/api/2026-10/graphql.json') return null;
  const query = String(body.query);
  const gid = (id: string) => `gid://shopify/WebhookSubscription/${id}`;
  if (query.startsWith('query')) {
    const from = Number((body.variables as { after?: string | null }).after ?? 0);
    const nodes = state.hooks.slice(from, from + 2).map(({ id, url, events: [topic = 'ORDERS_PAID'] }) => ({
      ...{ id: gid(id), topic, uri: url },
    }));
    const pageInfo = { hasNextPage: from + 2 < state.hooks.length, endCursor: String(from + 2) };
    const shop = { myshopifyDomain: 'acme.myshopify.com' };
    return { status: 200, json: { data: { shop, webhookSubscriptions: { nodes, pageInfo } } } };
  }
  const refused = (message: string) => ({ userErrors: [{ field: ['uri'], message }] });
  const done = query.split('\n').flatMap((line): [string, JsonObject][] => {
    const [, alias = '', name = ''] = /^(\w+): webhookSubscription(\w+)\(/.exec(line) ?? [];
    const uri = /uri: "([^"]*)"/.exec(line)?.[1] ?? '';
    const topic = /topic: (\w+)/.exec(line)?.[1] ?? '';
    const id = /WebhookSubscription\/(\d+)/.exec(line)?.[1] ?? '';
    if (name === '') return [];
    if (name === 'Create') {
      if (state.hooks.some(({ url, events }) => url === uri && events.includes(topic)))
        return [[alias, refused('Address for this topic has already been taken')]];
      const made: KeptHook = {
        ...{ id: state.nextId(), place: '/shop', url: uri, events: [topic], isActive: true },
        secret: CLIENT_SECRET,
      };
      state.hooks.push(made);
      return [[alias, { userErrors: [], webhookSubscription: { id: gid(made.id), topic } }]];
    }
    const hook = state.hooks.find((each) => each.id === id);
    if (hook === undefined) return [[alias, refused('Webhook subscription does not exist')]];
    if (name === 'Delete') {
      state.hooks.splice(state.hooks.indexOf(hook), 1);
      return [[alias, { userErrors: [], deletedWebhookSubscriptionId: gid(id) }]];
    }
    hook.url = uri;
    return [[alias, { userErrors: [], webhookSubscription: { id: gid(id), topic: hook.events[0] ?? '' } }]];
  });
  return { status: 200, json: { data: Object.fromEntries(done) } };
};

/**
 * @slack/web-api 8: apps by manifest, a configuration token that a refresh token gives once, and no list of apps. Hooks of others are
 * apps that nothing here names.
 */
const slackApps: Route = ({ method, path, body, headers }, state) => {
  if (method !== 'POST') return null;
  const said = (json: JsonObject): Reply => ({ status: 200, json: { ok: true, ...json } });
  const no = (error: string): Reply => ({ status: 200, json: { ok: false, error } });
  if (path === '/tooling.tokens.rotate') {
    const [, count = ''] = /^xoxe-1-(\d+)$/.exec(String(body.refresh_token)) ?? [];
    if (count === '' || rotations.has(`${state.url()} ${count}`)) return no('invalid_refresh_token');
    rotations.add(`${state.url()} ${count}`);
    const next = Number(count) + 1;
    const exp = Math.floor(Date.now() / 1000) + 43_200;
    return said({ token: `xoxe.xoxp-1-${next}`, refresh_token: `xoxe-1-${next}`, exp });
  }
  if (!headers.authorization?.startsWith('Bearer xoxe.xoxp-1-')) return no('invalid_auth');
  const given = text(body.manifest);
  const manifest: JsonObject = given === null ? {} : JSON.parse(given);
  if (path === '/apps.manifest.validate') return said({});
  if (path === '/apps.manifest.create') {
    const id = `A${state.nextId().slice(-9)}`;
    const hook: KeptHook = {
      ...{ id, place: '/apps', url: '', events: [], secret: `signing-${id}`, isActive: true },
    };
    set(hook, manifest);
    state.hooks.push(hook);
    const credentials = { client_id: '1', client_secret: '2', signing_secret: `signing-${id}` };
    return said({ app_id: id, credentials, oauth_authorize_url: 'https://slack.com/oauth' });
  }
  const hook = state.hooks.find(({ id, place }) => id === body.app_id && place === '/apps');
  if (hook === undefined) return no('app_not_found');
  if (path === '/apps.manifest.export') return said({ manifest: manifests.get(hook) ?? {} });
  if (path === '/apps.manifest.delete') {
    state.hooks.splice(state.hooks.indexOf(hook), 1);
    return said({});
  }
  if (path !== '/apps.manifest.update') return null;
  set(hook, manifest);
  state.ping(hook);
  return said({ app_id: hook.id, permissions_updated: false });
};

const rotations = new Set<string>();
const manifests = new WeakMap<KeptHook, JsonObject>();

function set(hook: KeptHook, manifest: JsonObject): void {
  manifests.set(hook, manifest);
  const settings = (manifest.settings ?? {}) as JsonObject;
  const subscriptions = (settings.event_subscriptions ?? {}) as JsonObject;
  hook.url = text(subscriptions.request_url) ?? '';
  hook.events = strings(subscriptions.bot_events);
}

/** The manifest of an app, for tests that change it as a person does. */
export function manifestOf(hook: KeptHook): JsonObject {
  return manifests.get(hook) ?? {};
}

/** Of the app: it signs all that its subscriptions send. */
const CLIENT_SECRET = 'a-secret-of-the-webhook-0123456789';

/** A sender in the suite of connectors. */
export interface SenderCase {
  readonly spec: LoopbackSpec;
  /** As it is typed. */
  readonly target: string;
  readonly isOrganisation?: boolean;
  /** Where its hooks are. */
  readonly place: string;
  /** Left out: `token-of-<name>`. */
  readonly token?: string;
  /** Its hooks can't be listed: one whose id was lost is not found. */
  readonly isUnlisted?: true;
  /** The sender's address, where its connector looks at it. */
  readonly site?: string;
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
  jira: {
    spec: { route: jira, isAuthorized: bearer('jira') },
    ...{ target: 'proj', place: '/site', site: 'https://acme.atlassian.net' },
  },
  'jira (Data Center)': {
    spec: { route: jiraDataCenter, isAuthorized: bearer('jira') },
    ...{ target: 'proj', place: '/site' },
  },
  linear: {
    spec: { route: linear, isAuthorized: bearer('linear') },
    ...{ target: 'acme', isOrganisation: true, place: '/graphql' },
  },
  sentry: { spec: { route: sentryApps, isAuthorized: bearer('sentry') }, target: 'acme', place: '/acme' },
  shopify: {
    spec: {
      route: shopify,
      isAuthorized: (headers) => headers['x-shopify-access-token'] === 'token-of-shopify',
    },
    ...{ target: 'acme', place: '/shop' },
  },
  slack: {
    spec: { route: slackApps, isAuthorized: () => true },
    ...{ target: 'hookctl', place: '/apps', token: 'xoxe-1-1', isUnlisted: true },
  },
  stripe: { spec: { route: stripe, isAuthorized: bearer('stripe') }, target: 'live', place: '/account' },
};
