import { createHash } from 'node:crypto';
import { actionNamed } from '../actions/index.ts';
import type { Configuration } from '../config/index.ts';
import { commandLabel } from '../labels.ts';
import type { AuditReader } from '../store/audit.ts';
import type { JsonObject, NewAuditEntry, Snapshot, Webhook, WebhookCommand } from '../types.ts';

/** Something that the configuration lets hookctl do outside of itself: run a program, post, start an agent. */
export interface Grant {
  /** `webhook/command`, or `agent <name>`: what it is compared by. */
  readonly target: string;
  /** In words, for people: `runs ./deploy.sh`. */
  readonly says: string;
  /** Changes with every setting of it. */
  readonly fingerprint: string;
}

/** What is different from what was in force before. */
interface GrantChanges {
  /** New, or with other settings. */
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
}

/** All that the webhooks may do outside. A disabled one counts: enabling it is no change of what it may do. */
export function grantsOf({ webhooks }: Snapshot): readonly Grant[] {
  return webhooks.flatMap(({ name, commands }) =>
    commands
      .filter(({ action }) => actionNamed(action)?.reachesOut === true)
      .map((command) => ({
        target: `${name}/${commandLabel(command)}`,
        says: says(command),
        fingerprint: fingerprintOf([command.action, command.options]),
      })),
  );
}

/** The agents that may be started. */
export function agentGrants(agents: Readonly<Record<string, { readonly use: string }>>): readonly Grant[] {
  return Object.entries(agents).map(([name, settings]) => ({
    target: `agent ${name}`,
    says: `starts ${settings.use}`,
    fingerprint: fingerprintOf(settings),
  }));
}

/** Names a state of settings without showing them. */
function fingerprintOf(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

/** What was in force when somebody last wrote it down. */
export function recordedGrants(store: Pick<AuditReader, 'audit'>): readonly Grant[] {
  const seen = new Set<string>();
  const newestFirst = store.audit({ what: 'grant', limit: Number.MAX_SAFE_INTEGER });
  return newestFirst.flatMap(({ what, target, details }) => {
    if (target === null || seen.has(target)) return [];
    seen.add(target);
    const { says: text = '', fingerprint = '' } = details;
    return what === 'grant.add' ? [{ target, says: String(text), fingerprint: String(fingerprint) }] : [];
  });
}

export function compareGrants(before: readonly Grant[], after: readonly Grant[]): GrantChanges {
  const former = new Map(before.map((grant) => [grant.target, grant]));
  const latter = new Set(after.map(({ target }) => target));
  return {
    added: after.filter(({ target, fingerprint }) => former.get(target)?.fingerprint !== fingerprint),
    removed: before.filter(({ target }) => !latter.has(target)),
  };
}

export function grantEntries({ added, removed }: GrantChanges, at: number): readonly NewAuditEntry[] {
  const line = (what: string, { target, says: text, fingerprint }: Grant): NewAuditEntry => ({
    at,
    actor: { kind: 'server', name: 'hookctl serve' },
    what,
    target,
    details: { says: text, fingerprint },
    revision: null,
  });
  return [
    ...added.map((grant) => line('grant.add', grant)),
    ...removed.map((grant) => line('grant.remove', grant)),
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

/**
 * In words, all that a configuration allows and another does not: programs and posts of commands, agents that a webhook
 * starts, people who may command, secrets that verify. `before` null: nothing was allowed.
 */
export function newlyAllowed(before: Configuration | null, after: Configuration): readonly string[] {
  const grants = (of: Configuration) => [...grantsOf(of.snapshot), ...agentGrants(of.project.agents)];
  const { added } = compareGrants(before === null ? [] : grants(before), grants(after));
  const known = new Set(before?.snapshot.webhooks.flatMap((webhook) => permissionsOf(webhook, before)));
  const others = after.snapshot.webhooks.flatMap((webhook) => permissionsOf(webhook, after));
  return [
    ...added.map(({ target, says }) => `${target} ${says}`),
    ...others.filter((permission) => !known.has(permission)).map(withoutSecret),
  ];
}

/** Between the words that are shown and what only tells two permissions apart. */
const BREAK = '\0';

function permissionsOf(webhook: Webhook, { project }: Configuration): readonly string[] {
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

function withoutSecret(permission: string): string {
  return permission.split(BREAK)[0] ?? '';
}
