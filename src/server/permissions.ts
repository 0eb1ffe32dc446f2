import { actionNamed } from '../actions/index.ts';
import type { Configuration } from '../config/index.ts';
import { commandLabel } from '../labels.ts';
import type { JsonObject, Snapshot, Webhook, WebhookCommand } from '../types.ts';

/** Something that the configuration lets hookctl do outside of itself: run a program, post, start an agent. */
export interface Permission {
  /** `webhook/command`, or `agent <name>`. */
  readonly target: string;
  /** In words, for people: `runs ./deploy.sh`. */
  readonly says: string;
}

/** All that the webhooks and agents may do outside. A disabled webhook counts: enabling it changes no permission. */
export function permissionsOf(
  { webhooks }: Snapshot,
  { project: { agents } }: Pick<Configuration, 'project'>,
): readonly Permission[] {
  return [
    ...webhooks.flatMap(({ name, commands }) =>
      commands
        .filter(({ action }) => actionNamed(action)?.reachesOut === true)
        .map((command) => ({ target: `${name}/${commandLabel(command)}`, says: says(command) })),
    ),
    ...Object.entries(agents).map(([name, { use }]) => ({ target: `agent ${name}`, says: `starts ${use}` })),
  ];
}

/** A permission as it is shown and compared. */
export function permissionText({ target, says }: Permission): string {
  return `${target} ${says}`;
}

/** Permissions that are not among those in `known` (as texts). */
export function newPermissions(known: readonly string[], now: readonly Permission[]): readonly Permission[] {
  const former = new Set(known);
  return now.filter((permission) => !former.has(permissionText(permission)));
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

/** Separates the shown words from a secret that only distinguishes two permissions. */
const BREAK = '\0';

function everythingAllowed(configuration: Configuration): readonly string[] {
  const { snapshot } = configuration;
  return [
    ...permissionsOf(snapshot, configuration).map(permissionText),
    ...snapshot.webhooks.flatMap((webhook) => accessOf(webhook, configuration)),
  ];
}

function accessOf(webhook: Webhook, { project }: Configuration): readonly string[] {
  const { name, allow, secrets, targetAgent, commands } = webhook;
  const agents = new Set([targetAgent, ...commands.map((command) => command.targetAgent)]);
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

/** The program or the hosts; arguments and paths of URLs may hold secrets. */
function says({ action, options }: WebhookCommand): string {
  const { program, urls } = options as JsonObject & { readonly program?: unknown; readonly urls?: unknown };
  if (action === 'run') return `runs ${String(program)}`;
  if (action !== 'forward' || !Array.isArray(urls)) return `posts (${action})`;
  const hosts = urls.map((url) => URL.parse(String(url))?.host ?? 'an unknown host');
  return `forwards to ${[...new Set(hosts)].join(', ')}`;
}
