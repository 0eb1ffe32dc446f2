import { failure, usageError } from '../../errors.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { Connector, HookSettings, RemoteHook, Target } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, nameOf, stringsAt } from '../reading.ts';

const TEXTS = [
  'issue:comment_created',
  'issue:created',
  'pullrequest:comment_created',
  'pullrequest:created',
];
const ALL = [
  ...TEXTS,
  ...['issue:updated', 'repo:push', 'repo:commit_comment_created', 'repo:commit_status_created'],
  ...['repo:commit_status_updated', 'pullrequest:updated', 'pullrequest:approved', 'pullrequest:fulfilled'],
  ...['pullrequest:rejected', 'pullrequest:comment_updated'],
];

/** Hooks of a repository or a workspace, Bitbucket Cloud. Source: developer.atlassian.com/cloud/bitbucket, REST API, "Webhooks". */
export const bitbucket: Connector = {
  name: 'bitbucket',
  targets: 'workspace/repository, or a workspace with --org',
  example: 'acme/api',

  target(text, { isOrganisation }) {
    const name = nameOf(text);
    if (isOrganisation && /^[\w.-]+$/.test(name)) return { kind: 'workspace', name };
    if (!isOrganisation && /^[\w.-]+\/[\w.-]+$/.test(name)) return { kind: 'repository', name };
    throw usageError(
      `${text} is no ${isOrganisation ? 'workspace' : 'repository'}`,
      'Write workspace/repository: hookctl connect bitbucket acme/api. For a workspace: hookctl connect bitbucket acme --org',
    );
  },
  // Events of Data Center (`pr:…`) are not Cloud's.
  eventsOf: (webhook) =>
    usedEvents(webhook, { texts: TEXTS, nameOf: (type) => (type.startsWith('pr:') ? [] : [type]), all: ALL }),
  right({ name }, { status }) {
    const page = 'https://bitbucket.org/account/settings/app-passwords/';
    if (status === 401) return `Bitbucket does not know the token. Make one: ${page}`;
    return `Its token needs the scope webhook, and its user has to administer ${name}. Change it: ${page}`;
  },

  list: (target) => ({ method: 'GET', path: `${hooks(target)}?pagelen=100`, body: null }),
  readList: ({ json }) =>
    objectsAt(json, 'values').map(
      (hook): RemoteHook => ({
        id: idAt(hook, 'uuid') ?? '',
        url: textAt(hook, 'url') ?? '',
        events: stringsAt(hook, 'events'),
        isActive: hook.active !== false,
        disabled: null,
        hasSecret: typeof hook.secret_set === 'boolean' ? hook.secret_set : null,
      }),
    ),
  next({ json }, request) {
    const next = textAt(json, 'next');
    return next === null ? null : { ...request, path: next };
  },
  create: (target, hook) => ({ method: 'POST', path: hooks(target), body: settings(hook) }),
  readCreated: (answer) => ({ id: createdId(answer, 'uuid'), secret: null }),
  update: (target, id, hook) => ({ method: 'PUT', path: at(target, id), body: settings(hook) }),
  repoint: changed,
  pause: changed,
  remove: (target, id) => ({ method: 'DELETE', path: at(target, id), body: null }),
};

function hooks({ kind, name }: Target): string {
  const [workspace, repository] = name.split('/');
  if (kind === 'workspace') return apiPath('2.0', 'workspaces', workspace, 'hooks');
  if (repository === undefined) throw failure('bad_place', `${name} names no repository`);
  return apiPath('2.0', 'repositories', workspace, repository, 'hooks');
}

function at(target: Target, id: string): string {
  return hooks(target) + apiPath(id);
}

function settings({ url, events, secret, isActive }: HookSettings) {
  return { description: 'hookctl', url, active: isActive, events, ...(secret !== null && { secret }) };
}

/** Without a secret the one that is set stays; the other fields have to be there. */
function changed(...[target, id, hook]: Parameters<Connector['repoint']>) {
  return { method: 'PUT', path: at(target, id), body: settings({ ...hook, secret: null }) } as const;
}
