import type { Configuration } from '../config/index.ts';
import type { Webhook } from '../types.ts';
import { agentGrants, compareGrants, grantsOf } from './grants.ts';

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
