import type { JsonObject } from '../../../src/types.ts';
import {
  type ApiCall,
  type KeptHook,
  type LoopbackSpec,
  linkedPage,
  numeric,
  type Reply,
} from './loopback.ts';

const HOOKS = /^(\/(?:repos\/[^/]+\/[^/]+|orgs\/[^/]+))\/hooks(?:\/(\d+))?(\/config|\/pings)?$/;

/**
 * Hooks as GitHub's REST API has them (@octokit/openapi-types 29): `config` replaces what it does not name, secrets read back as
 * stars, a URL on this machine and a second hook with the same config are refused.
 */
export const githubApi: LoopbackSpec = {
  isAuthorized: ({ authorization }) => authorization === 'Bearer token-of-github',
  route(call, state) {
    const [, place = '', id, rest] = HOOKS.exec(call.path) ?? [];
    if (place === '') return null;
    if (id === undefined) {
      if (call.method === 'POST') return create(call, place, state);
      const kept = state.hooks.filter((hook) => hook.place === place);
      return linkedPage(kept.map(shown), call, state.url());
    }
    const hook = state.hooks.find((each) => each.id === id && each.place === place);
    if (hook === undefined) return null;
    if (rest === '/pings') {
      state.ping(hook);
      return { status: 204 };
    }
    if (call.method === 'DELETE') {
      state.hooks.splice(state.hooks.indexOf(hook), 1);
      return { status: 204 };
    }
    if (call.method !== 'PATCH') return { status: 200, json: shown(hook) };
    const { events, active } = call.body;
    const config = (rest === '/config' ? call.body : call.body.config) as JsonObject | undefined;
    if (config !== undefined) {
      if (typeof config.url === 'string') hook.url = config.url;
      if (typeof config.secret === 'string') hook.secret = config.secret;
      // Only the route of `config` leaves what it is not given.
      else if (rest !== '/config') hook.secret = null;
    }
    if (Array.isArray(events)) hook.events = events as string[];
    if (typeof active === 'boolean') hook.isActive = active;
    return { status: 200, json: shown(hook) };
  },
};

function create({ body }: ApiCall, place: string, state: Parameters<LoopbackSpec['route']>[1]): Reply {
  const { url, secret, content_type: type } = (body.config ?? {}) as JsonObject;
  const events = (body.events ?? ['push']) as string[];
  const invalid = (message: string): Reply => ({
    status: 422,
    json: { message: 'Validation Failed', errors: [{ resource: 'Hook', code: 'custom', message }] },
  });
  if (body.name !== 'web' || typeof url !== 'string' || type !== 'json') return invalid('config is invalid');
  const same = (each: KeptHook) => each.place === place && each.url === url;
  if (state.hooks.some(same)) return invalid('Hook already exists on this repository');
  if (state.hooks.filter((each) => each.place === place).length >= 20) {
    return invalid('The "push" event cannot have more than 20 hooks');
  }
  const hook: KeptHook = {
    ...{ id: state.nextId(), place, url, events },
    ...{ secret: typeof secret === 'string' ? secret : null, isActive: body.active !== false },
  };
  state.hooks.push(hook);
  state.ping(hook);
  return { status: 201, json: shown(hook) };
}

function shown({ id, url, events, secret, isActive }: KeptHook): JsonObject {
  return {
    type: 'Repository',
    id: numeric(id),
    name: 'web',
    active: isActive,
    events: [...events],
    config: { url, content_type: 'json', insecure_ssl: '0', ...(secret !== null && { secret: '********' }) },
    last_response: { code: null, status: 'unused', message: null },
  };
}
