import { usageError } from '../../errors.ts';
import { idAt, objectsAt, textAt } from '../../providers/kit/payload.ts';
import { apiPath } from '../../providers/kit/reply.ts';
import type { JsonObject } from '../../types.ts';
import { linkedPage } from '../api.ts';
import type { Connector, HookSettings, RemoteHook, Target } from '../connector.ts';
import { usedEvents } from '../events.ts';
import { createdId, nameOf } from '../reading.ts';

/** The switch of each kind of event, where it is not `<kind>_events`. */
const SWITCHES: Readonly<Record<string, string>> = {
  issue: 'issues_events',
  work_item: 'issues_events',
  merge_request: 'merge_requests_events',
  build: 'job_events',
  release: 'releases_events',
};
const ALL = [
  ...['push_events', 'tag_push_events', 'issues_events', 'confidential_issues_events'],
  ...['merge_requests_events', 'note_events', 'confidential_note_events', 'job_events'],
  ...['pipeline_events', 'wiki_page_events', 'deployment_events', 'releases_events'],
];
/** Switches of newer versions, and of groups: off unless a command uses them, and never asked for by `*`. */
const OTHERS = [
  ...['feature_flag_events', 'milestone_events', 'emoji_events', 'vulnerability_events'],
  ...['resource_access_token_events', 'resource_deploy_token_events'],
  ...['subgroup_events', 'member_events', 'project_events'],
];
/** Kinds whose test is made up by GitLab, and needs no issue or pipeline to be there. */
const TESTS = ['push_events', 'tag_push_events'];

/** Hooks of a project or a group (Premium). Source: docs.gitlab.com, "Project webhooks API", "Group webhooks API"; @gitbeaker/rest 43. */
export const gitlab: Connector = {
  name: 'gitlab',
  targets: 'group/project, or a group with --org',
  example: 'acme/api',

  target(text, { isOrganisation }) {
    const name = nameOf(text);
    if (
      /^[\w.-]+(?:\/[\w.-]+)*$/.test(name) &&
      (isOrganisation || name.includes('/') || /^\d+$/.test(name))
    ) {
      return { kind: isOrganisation ? 'group' : 'project', name };
    }
    throw usageError(
      `${text} is no ${isOrganisation ? 'group' : 'project'}`,
      'Write group/project or its number: hookctl connect gitlab acme/api. For a group: hookctl connect gitlab acme --org',
    );
  },
  eventsOf: (webhook) =>
    usedEvents(webhook, {
      texts: ['issues_events', 'merge_requests_events', 'note_events'],
      nameOf(type) {
        const kind = type.split('.')[0] ?? type;
        return [SWITCHES[kind] ?? `${kind}_events`];
      },
      all: ALL,
    }),
  right({ kind, name }, { status }, { baseUrl }) {
    const page = `${baseUrl}/-/user_settings/personal_access_tokens`;
    if (status === 401) return `GitLab does not know the token, or it has ended. Make one: ${page}`;
    const role = kind === 'group' ? 'Owner of the group (hooks of groups need Premium)' : 'Maintainer';
    return `Its token needs the scope api, and its user has to be ${role} of ${name}. Change it: ${page}`;
  },

  list: (target) => ({ method: 'GET', path: `${hooks(target)}?per_page=100`, body: null }),
  readList: ({ json }) => objectsAt(json).map(read),
  next: linkedPage,
  create: (target, hook) => ({ method: 'POST', path: hooks(target), body: settings(hook, true) }),
  readCreated: (answer) => ({ id: createdId(answer), secret: null }),
  update: (target, id, hook) => ({ method: 'PUT', path: at(target, id), body: settings(hook, true) }),
  // With a new URL GitLab forgets the token that is not given again (`reset_token` of its `WebHook`).
  repoint: (target, id, { url, secret }) => ({
    method: 'PUT',
    path: at(target, id),
    body: { url, ...(secret !== null && { token: secret }) },
  }),
  remove: (target, id) => ({ method: 'DELETE', path: at(target, id), body: null }),
  // A test is sent whatever the hook is for: of a kind that a command uses it would run that command.
  ping(target, id, events) {
    const test = TESTS.find((kind) => !events.includes(kind));
    return test === undefined
      ? null
      : { method: 'POST', path: `${at(target, id)}/test/${test}`, body: null, isRepeatable: true };
  },
};

function hooks({ kind, name }: Target): string {
  return `/api/v4${apiPath(kind === 'group' ? 'groups' : 'projects', name, 'hooks')}`;
}

function at(target: Target, id: string): string {
  return hooks(target) + apiPath(id);
}

/** Each switch is given: `push_events` is on where it is left out. What a version does not know it passes over. */
function settings({ url, events, secret }: HookSettings, isVerified: boolean): JsonObject {
  const switches = [...new Set([...ALL, ...OTHERS, ...events])].map((name) => [name, events.includes(name)]);
  return {
    url,
    ...Object.fromEntries(switches),
    ...(secret !== null && { token: secret }),
    enable_ssl_verification: isVerified,
  };
}

function read(hook: JsonObject): RemoteHook {
  const status = textAt(hook, 'alert_status');
  const until = textAt(hook, 'disabled_until');
  return {
    id: idAt(hook, 'id') ?? '',
    url: textAt(hook, 'url') ?? '',
    events: Object.keys(hook).filter((name) => name.endsWith('_events') && hook[name] === true),
    isActive: true,
    disabled:
      status === null || status === 'executable'
        ? null
        : `GitLab disabled it after failures (${status}${until === null ? '' : ` until ${until}`})`,
    hasSecret: null,
  };
}
