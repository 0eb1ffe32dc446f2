import { usageError } from '../../errors.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import { linkedPage } from '../api.ts';
import type { Connector, RemoteHook, Target } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, nameOf, stringsAt } from '../reading.ts';

/** The names of Gitea's API for what its header calls otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  pull_request_approved: 'pull_request',
  pull_request_rejected: 'pull_request',
  pull_request_comment: 'pull_request',
};
/** Each of these includes all events that begin with its word, comments and reviews too. */
const FAMILIES: Readonly<Record<string, string>> = { issues: 'issue_', pull_request: 'pull_request_' };

/**
 * Hooks of a repository or an organisation, Gitea and Forgejo. Source: go-gitea `routers/api/v1/utils/hook.go`: an edit sets the
 * events to `push` where it names none, and never the secret.
 */
export const gitea: Connector = {
  name: 'gitea',
  targets: 'owner/repository, or an organisation with --org',
  example: 'acme/api',
  keepsSecret: true,

  target(text, { isOrganisation }) {
    const name = nameOf(text);
    if (isOrganisation && /^[\w.-]+$/.test(name)) return { kind: 'organisation', name };
    if (!isOrganisation && /^[\w.-]+\/[\w.-]+$/.test(name)) return { kind: 'repository', name };
    throw usageError(
      `${text} is no ${isOrganisation ? 'organisation' : 'repository'}`,
      'Write owner/repository: hookctl connect gitea acme/api. For an organisation: hookctl connect gitea acme --org',
    );
  },
  eventsOf(webhook) {
    const texts = ['issues', 'pull_request'];
    const all = [
      'issues',
      'pull_request',
      'push',
      'create',
      'delete',
      'fork',
      'release',
      'repository',
      'wiki',
    ];
    const name = (type: string) => NAMES[type.split('.')[0] ?? type] ?? type.split('.')[0] ?? type;
    return withoutMembers(usedEvents(webhook, { texts, nameOf: (type) => [name(type)], all }));
  },
  right({ name }, { status }, { baseUrl }) {
    const page = `${baseUrl}/user/settings/applications`;
    if (status === 401) return `Gitea does not know the token. Make one: ${page}`;
    return `Its token needs write:repository (for an organisation write:organization), and its user has to administer ${name}. Change it: ${page}`;
  },

  list: (target) => ({ method: 'GET', path: `${hooks(target)}?limit=50`, body: null }),
  readList: ({ json }) =>
    objectsAt(json).map(
      (hook): RemoteHook => ({
        id: idAt(hook, 'id') ?? '',
        url: textAt(hook, 'config', 'url') ?? '',
        events: withoutMembers(stringsAt(hook, 'events')),
        isActive: hook.active !== false,
        disabled: null,
        hasSecret: null,
      }),
    ),
  next: linkedPage,
  create: (target, { url, events, secret, isActive }) => ({
    method: 'POST',
    path: hooks(target),
    body: {
      type: 'gitea',
      config: { url, content_type: 'json', ...(secret !== null && { secret }) },
      events,
      active: isActive,
    },
  }),
  readCreated: (answer) => ({ id: createdId(answer), secret: null }),
  update,
  repoint: update,
  pause: update,
  remove: (target, id) => ({ method: 'DELETE', path: at(target, id), body: null }),
  // The only test is a push.
  ping: (target, id, events) =>
    events.includes('push')
      ? null
      : { method: 'POST', path: `${at(target, id)}/tests`, body: null, isRepeatable: true },
};

function hooks({ kind, name }: Target): string {
  return `/api/v1${apiPath(kind === 'organisation' ? 'orgs' : 'repos', ...name.split('/'), 'hooks')}`;
}

function at(target: Target, id: string): string {
  return hooks(target) + apiPath(id);
}

function update(...[target, id, { url, events, isActive }]: Parameters<Connector['update']>) {
  const body = { config: { url, content_type: 'json' }, events, active: isActive };
  return { method: 'PATCH', path: at(target, id), body } as const;
}

/** A family without its members, which Gitea lists beside it. */
function withoutMembers(events: readonly string[]): readonly string[] {
  const families = Object.entries(FAMILIES).filter(([family]) => events.includes(family));
  return events.filter((name) => !families.some(([, start]) => name.startsWith(start)));
}
