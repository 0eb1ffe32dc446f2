import { type CallSite, callerSite } from '../../lib/call-site.ts';
import type { BuiltInProvider, KnownEventType } from '../../providers/facts.ts';
import type { DefinedProvider } from '../../types/defined-provider.ts';
import type { JsonObject } from '../../types.ts';

/** What a command can do without further code. A type alone, for editors: a test compares it with the actions. */
export type BuiltInAction =
  | 'create_task'
  | 'comment'
  | 'ask'
  | 'respond'
  | 'forward'
  | 'run'
  | 'react'
  | 'label'
  | 'repair';

/** Registered under a name, so that a definition is known even if the project has a hookctl of its own installed. */
const DEFINED: unique symbol = Symbol.for('hookctl.webhook');

/** What `defineWebhook` returns and a module under `static:` exports by default (or an array of them). */
export interface DefinedWebhook {
  readonly [DEFINED]: {
    readonly definition: WebhookDefinition;
    /** Where `defineWebhook` was called, for messages; null when the stack does not tell. */
    readonly calledAt: CallSite | null;
  };
}

/**
 * Declares a static webhook. The definition is validated when hookctl loads the module, so that all mistakes of
 * all modules are reported at once; nothing is thrown here.
 *
 * @example
 * export default defineWebhook({
 *   name: 'triage',
 *   provider: 'github',
 *   commands: [{ trigger: 'issues.opened', template: 'Triage {{issue.title}}' }],
 * });
 */
export function defineWebhook(definition: WebhookDefinition): DefinedWebhook {
  return { [DEFINED]: { definition, calledAt: callerSite() } };
}

/** The definition inside what `defineWebhook` returned; null for anything else. */
export function definitionOf(value: unknown): DefinedWebhook[typeof DEFINED] | null {
  return typeof value === 'object' && value !== null && DEFINED in value
    ? (value as DefinedWebhook)[DEFINED]
    : null;
}

/*
 * What people write in TypeScript, with the comments that their editor shows. `schema.ts` validates the same fields at
 * run time; a test compares the two. They are not `z.input` of the schema, because hookctl's `.d.ts` would then need zod
 * in the project that imports it.
 */

/** Any text, of which an editor completes the known ones. */
type Open<Known extends string> = Known | (string & {});

/** What `defineWebhook` takes. */
export interface WebhookDefinition {
  /** Lower-case letters, digits, - and _. The name of a built-in webhook replaces that one. */
  readonly name: string;
  /** Who sends: `github`, `generic`, …, or what `defineProvider` returned. */
  readonly provider: Open<BuiltInProvider> | DefinedProvider;
  /** Path it answers on. Default `/webhooks/<name>`. The endpoint of a built-in webhook replaces that one. */
  readonly endpoint?: string | undefined;
  /** False: the endpoint answers 403. Default true. */
  readonly enabled?: boolean | undefined;
  /**
   * Whose it is: its deliveries, tasks, flows, posts, runs and what they cost are counted and limited by this name (`owners` of
   * webhooks.yml). What is stored keeps the owner that it came with. Lower-case letters, digits, - and _. Default `operator`.
   */
  readonly owner?: string | undefined;
  /** Words to find it by, without spaces. Default: none. */
  readonly labels?: readonly string[] | undefined;
  /**
   * `shadow`: it decides and renders, and hookctl records with each delivery what it would have done; no task is made, nothing is
   * posted and nothing runs. Default `live`.
   */
  readonly mode?: 'live' | 'shadow' | undefined;
  /**
   * Forms of it that are compared (`hookctl webhook compare`). A hash of the external id chooses one, so that a thread stays with
   * its variant. Default: none.
   */
  readonly variants?: readonly WebhookVariantDefinition[] | undefined;
  /** Environment variable with the secret. Default: a secret that hookctl generates. */
  readonly secretEnv?: string | undefined;
  /** The word before a text command. Default `@agent`. */
  readonly commandPrefix?: string | undefined;
  /** False: `defaultCommand` runs on the event types in `events` without any prefix. Default true. */
  readonly requirePrefix?: boolean | undefined;
  /** Who works on the tasks. Default `brain`. */
  readonly targetAgent?: string | undefined;
  /** What people can ask for (`name`), and what happens by itself (`trigger`). */
  readonly commands?: readonly WebhookCommandDefinition[] | undefined;
  /** The text command that runs when the word after the prefix is not a command. Default: nothing runs. */
  readonly defaultCommand?: string | undefined;
  /** Event types (`issues.*`, `*`) whose edits may command, or, without a prefix, that run the default command. */
  readonly events?: readonly string[] | undefined;
  /** Who may command. */
  readonly allow?: SenderRuleDefinition | undefined;
  /** Events of one flow that come close together become one task. A command's own goes first. Default: each makes one. */
  readonly coalesce?: CoalesceDefinition | undefined;
  /** Lets an agent repair red builds of its own branches, within bounds. Default: nothing is repaired. */
  readonly repair?: RepairDefinition | undefined;
  /** What starts the default command without a text. Default: nothing does. */
  readonly starts?: StartsDefinition | undefined;
  /** True: the ticket or issue where a flow began is told when its pull request is merged. Default false. */
  readonly tellMerged?: boolean | undefined;
  /** False: its tasks do not appear in Claude Code's task directory. Default true. */
  readonly syncToClaudeTasks?: boolean | undefined;
  /**
   * Also accept what came through a relay that changed the bytes (smee.io), although no signature can prove it:
   * everybody who knows the channel can post. Such deliveries run no program and post nothing. Default false.
   */
  readonly allowUnverifiable?: boolean | undefined;
  /**
   * True: what `hookctl recover` read from the sender's log, where no signature proves it, runs and posts like what is verified.
   * Default false: its tasks wait for approval.
   */
  readonly trustFetched?: boolean | undefined;
  /** Settings of the provider. */
  readonly options?: JsonObject | undefined;
}

/** How long events wait for each other. */
export interface CoalesceDefinition {
  /** Since the last event, such as `30s`. */
  readonly window: string;
  /** Since the first event, such as `5m`. Default: ten windows. */
  readonly max?: string | undefined;
}

/** Bounds of repairs. */
export interface RepairDefinition {
  /** Names of checks, workflows or pipelines; `*` is any text. */
  readonly checks: readonly string[];
  /** Branches that are repaired, beside those of pull requests that tasks opened. Default `hookctl/*`. */
  readonly branches?: readonly string[] | undefined;
  /** Most repairs of one pull request. Default 2. */
  readonly attempts?: number | undefined;
  /** Most repairs of all within 24 hours. Default 10. */
  readonly perDay?: number | undefined;
  /** Who is tagged when a repair ends without success: `@octocat`. Default: no one is tagged. */
  readonly notify?: string | undefined;
  /** Who repairs. Default: the webhook's `targetAgent`. */
  readonly targetAgent?: string | undefined;
}

/** Events that start the default command; `allow` judges their senders. */
export interface StartsDefinition {
  /** A label, when it is set (GitHub, GitLab). */
  readonly label?: string | undefined;
  /** The bot's account, when an issue or pull request is assigned to it (GitHub, GitLab: login; Jira: account id). */
  readonly assigned?: string | undefined;
  /** The bot's account, when its review is requested (GitHub, GitLab). */
  readonly reviewRequested?: string | undefined;
  /** A status, when an issue comes to it (Jira). */
  readonly transition?: string | undefined;
}

/** Who may command. */
export interface SenderRuleDefinition {
  /** In the provider's words (GitHub: `OWNER`, `MEMBER`, …). Default: the provider's own rule. */
  readonly associations?: readonly string[] | undefined;
  /** The provider's ids of people; no logins, which can be renamed and taken by somebody else. Default: none. */
  readonly users?: readonly (string | number)[] | undefined;
  /** App ids of bots. Default: none. */
  readonly apps?: readonly (string | number)[] | undefined;
}

interface VariantFields {
  /** Lower-case letters, digits, - and _. */
  readonly name: string;
  /** Its share of the external ids, relative to the others. Default 1. */
  readonly weight?: number | undefined;
  /** `shadow`: it decides beside the others about each delivery, and does nothing. Default `live`. */
  readonly mode?: 'live' | 'shadow' | undefined;
}

/** What a variant of a webhook changes. */
export interface WebhookVariantDefinition extends VariantFields {
  /** Its commands, which have no variants of their own. Default: the webhook's. */
  readonly commands?: readonly PlainCommandDefinition[] | undefined;
  /** Default: the webhook's, where the variant has that command. */
  readonly defaultCommand?: string | undefined;
  /** Template of all its commands that render one. */
  readonly template?: string | undefined;
  /** Who works on the tasks of all its commands. */
  readonly targetAgent?: string | undefined;
}

/** A command inside a variant. */
export type PlainCommandDefinition =
  | Omit<TextCommandDefinition, 'variants'>
  | Omit<TriggerCommandDefinition, 'variants'>;

/** What a variant of a command changes. */
export interface CommandVariantDefinition
  extends VariantFields,
    Pick<CommandFields, 'action' | 'targetAgent' | 'template' | 'requiresApproval' | 'approval' | 'options'> {
  /** Of a trigger command. */
  readonly conditions?: JsonObject | undefined;
}

/** A command of a webhook: found by its `name` in what a person wrote, or fired by a `trigger`. */
export type WebhookCommandDefinition = TextCommandDefinition | TriggerCommandDefinition;

/** `@agent analyze why login fails` */
export interface TextCommandDefinition extends CommandFields {
  /** The word after the prefix. Unique in its webhook, in any case; not `approve` or `stop`. */
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[] | undefined;
  readonly trigger?: never;
  readonly conditions?: never;
  readonly priority?: never;
}

/** Fires on an event, also of a stranger; the tasks of people who may not command wait for approval. */
export interface TriggerCommandDefinition extends CommandFields {
  /** Event type: `issues.opened`, `issues.*`, `*`. */
  readonly trigger: Open<KnownEventType | '*'>;
  /** MongoDB query operators on dotted paths of the payload, all of which must hold: `{ 'issue.labels': 'bug' }`. */
  readonly conditions?: JsonObject | undefined;
  /** Lowest first. Default 100. */
  readonly priority?: number | undefined;
  readonly name?: never;
  readonly aliases?: never;
}

interface CommandFields {
  /** What the command does. Default `create_task`. */
  readonly action?: Open<BuiltInAction> | undefined;
  /** Who is to work on it. Default: the webhook's `targetAgent`. */
  readonly targetAgent?: string | undefined;
  /**
   * Handlebars, with the payload at the root (`{{issue.title}}`), `{{@event.title}}`, `{{@event.url}}` and
   * `{{@argument}}`, what the person wrote after the command. Default: title and argument.
   */
  readonly template?: string | undefined;
  /** The task waits until somebody approves it. Default false. */
  readonly requiresApproval?: boolean | undefined;
  /**
   * `never`: the task starts at once, also where no person is the sender and a stranger can have written the words: errors
   * that Sentry reports, a customer's note. Left out: such a task waits for approval.
   */
  readonly approval?: 'never' | undefined;
  /** Events of one flow that come close together become one task. Triggers alone: a typed command does not wait. */
  readonly coalesce?: CoalesceDefinition | undefined;
  /** Settings of the action. */
  readonly options?: JsonObject | undefined;
  /** Forms of it that are compared. Default: none. */
  readonly variants?: readonly CommandVariantDefinition[] | undefined;
}
