import { createHash } from 'node:crypto';
import { actionNamed } from '../actions/index.ts';
import type { Configuration } from '../config/index.ts';
import { commandLabel } from '../labels.ts';
import { allCommands, type JsonObject, type Snapshot, type Webhook, type WebhookCommand } from '../types.ts';

/** Something that the configuration lets hookctl do outside of itself: run a program, post, start an agent. */
export interface Permission {
  /** `webhook/command`, or `agent <name>`. */
  readonly target: string;
  /** In words, for people: `runs ./deploy.sh`. */
  readonly says: string;
}

/** A permission, and the text by which it is compared and recorded: other arguments of a program are another permission. */
export interface RecordedPermission extends Permission {
  readonly record: string;
}

/** All that the webhooks and agents may do outside. A disabled webhook counts: enabling it changes no permission. */
export function permissionsOf(
  { webhooks }: Snapshot,
  { project: { agents } }: Pick<Configuration, 'project'>,
): readonly RecordedPermission[] {
  return [
    ...webhooks.flatMap((webhook) =>
      allCommands(webhook)
        .filter(({ action }) => actionNamed(action)?.reachesOut === true)
        .map((command) =>
          recorded(
            { target: `${webhook.name}/${commandLabel(command)}`, says: says(command) },
            command.options,
          ),
        ),
    ),
    ...Object.entries(agents).map(([name, agent]) => {
      const { use, program, args, resumeArgs } = agent as JsonObject & { readonly use: string };
      const { workspace: { setup, teardown } = {}, sandbox } = agent;
      const settings = { program, args, resumeArgs, setup, teardown, sandbox };
      return recorded({ target: `agent ${name}`, says: `starts ${use}` }, settings);
    }),
  ];
}

/** Settings are recorded as a sum, because arguments and paths of URLs may hold secrets. */
function recorded(permission: Permission, settings: object): RecordedPermission {
  const text = JSON.stringify(settings);
  const sum = text === '{}' ? '' : ` [${createHash('sha256').update(text).digest('hex').slice(0, 16)}]`;
  return { ...permission, record: `${permissionText(permission)}${sum}` };
}

/** A permission as it is shown. */
export function permissionText({ target, says }: Permission): string {
  return `${target} ${says}`;
}

/** Permissions that are not among those in `known` (as recorded). */
export function newPermissions(
  known: readonly string[],
  now: readonly RecordedPermission[],
): readonly Permission[] {
  const former = new Set(known);
  return now.filter(({ record }) => !former.has(record)).map(({ target, says }) => ({ target, says }));
}

/**
 * In words, all that a configuration allows and another does not: programs and posts of commands, agents that a webhook
 * starts, people who may command, secrets that verify. Without `before`: everything.
 */
export function newlyAllowed(before: Configuration | null, after: Configuration): readonly string[] {
  const known = new Set(before === null ? [] : everythingAllowed(before));
  return everythingAllowed(after)
    .filter((text) => !known.has(text))
    .map((text) => text.split(BREAK)[0] ?? '');
}

/** Separates the shown words from what only distinguishes two permissions. */
const BREAK = '\0';

function everythingAllowed(configuration: Configuration): readonly string[] {
  const { snapshot } = configuration;
  return [
    ...permissionsOf(snapshot, configuration).map(
      (permission) => `${permissionText(permission)}${BREAK}${permission.record}`,
    ),
    ...snapshot.webhooks.flatMap((webhook) => accessOf(webhook, configuration)),
  ];
}

function accessOf(webhook: Webhook, { project }: Configuration): readonly string[] {
  const { name, allow, secrets, targetAgent } = webhook;
  const agents = new Set([targetAgent, ...allCommands(webhook).map((command) => command.targetAgent)]);
  return [
    ...[...agents]
      .filter((agent) => Object.hasOwn(project.agents, agent))
      .map((agent) => `${name} starts the agent ${agent}`),
    ...allow.associations.map((association) => `${name} takes commands of ${association}`),
    ...allow.users.map((user) => `${name} takes commands of the user ${user}`),
    ...allow.apps.map((app) => `${name} takes commands of the app ${app}`),
    ...secrets.map(
      ({ value }) => `${name} accepts requests that are signed with another secret${BREAK}${value.reveal()}`,
    ),
  ];
}

/** The program or the hosts. */
function says({ action, options }: WebhookCommand): string {
  const { program, urls } = options as JsonObject & { readonly program?: unknown; readonly urls?: unknown };
  if (action === 'run') return `runs ${String(program)}`;
  if (action !== 'forward' || !Array.isArray(urls)) return `posts (${action})`;
  const hosts = urls.map((url) => URL.parse(String(url))?.host ?? 'an unknown host');
  return `forwards to ${[...new Set(hosts)].join(', ')}`;
}
