import type { RateLimit } from '../lib/limits.ts';
import type { WebhookCommand } from '../types.ts';

/** What may be spent within a time; what is left out has no limit. */
interface Cap {
  readonly runs?: number | undefined;
  readonly usd?: number | undefined;
}

/** What one owner may do: an entry under `owners` of webhooks.yml. What is left out has no limit of its own. */
interface Limits {
  readonly perDay?: Cap | undefined;
  readonly perWeek?: Cap | undefined;
  /** Runs at once. */
  readonly concurrency?: number | undefined;
  readonly rateLimit?: RateLimit | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly actions?: readonly string[] | undefined;
  /** Names of lines of `repositories`. */
  readonly repositories?: readonly string[] | undefined;
  /** Name of the task list in Claude Code. */
  readonly claudeList?: string | undefined;
  /** Milliseconds. */
  readonly retention?:
    | { readonly bodies?: number | undefined; readonly rows?: number | undefined }
    | undefined;
}

/** Limits of owners, by name; who is not named has those of all. */
export type OwnerLimits = Readonly<Record<string, Limits>>;

const NONE: Limits = {};

export function limitsOf(owners: OwnerLimits, name: string): Limits {
  return (Object.hasOwn(owners, name) ? owners[name] : undefined) ?? NONE;
}

/** Where a limit is written, for the person who is refused by it. */
export function placeOf(name: string, limit: keyof Limits): string {
  return `owners.${name}.${limit}`;
}

/** Why an agent may not work for an owner. Null when it may. */
export function refusedAgent(owners: OwnerLimits, name: string, agent: string): string | null {
  const { agents } = limitsOf(owners, name);
  return agents === undefined || agents.includes(agent) ? null : refused(name, 'agents', agent);
}

/** Actions whose tasks go to the agent of their command. */
const MAKE_TASKS: readonly string[] = ['create_task', 'ask', 'repair'];

/** Why a command of an owner's webhook does not run. Null when it may. */
export function refusedCommand(
  owners: OwnerLimits,
  name: string,
  { action, targetAgent }: Pick<WebhookCommand, 'action' | 'targetAgent'>,
): string | null {
  const { actions } = limitsOf(owners, name);
  if (actions !== undefined && !actions.includes(action)) return refused(name, 'actions', action);
  return MAKE_TASKS.includes(action) ? refusedAgent(owners, name, targetAgent) : null;
}

/** The words of a refusal, with what to write. */
export function refused(name: string, limit: 'agents' | 'actions' | 'repositories', wanted: string): string {
  return `${name} may not use ${wanted}: add it to ${placeOf(name, limit)} in webhooks.yml, then restart hookctl serve`;
}
