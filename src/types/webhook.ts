import type { WebhookEvent } from './event.ts';
import type { Provider } from './provider.ts';
import type { JsonObject, RequestHead, WebhookSecret } from './request.ts';
import type { PostText } from './text.ts';

/** A compiled Handlebars template. Rendering never throws on missing values: they are empty. */
export interface Template {
  readonly source: string;
  /** For titles, records, replies and terminals: hidden characters are shown. */
  plain(context: TemplateContext): string;
  /** The same for a post: texts from outside do not act where it is read. */
  posted(context: TemplateContext): PostText;
  /** For a reader of another language (XML, JSON): texts from outside as `toText` returns them. */
  escaped(context: TemplateContext, toText: (text: string) => string): string;
  /** For an agent: each payload value is fenced and marked with its author and source. */
  fenced(context: TemplateContext): string;
}

/** The template of a command. */
export interface CommandTemplate {
  readonly source: string;
  /** Compiled when it is first rendered. */
  compiled(): Promise<Template>;
}

/** What earlier tasks of a command found in a flow. */
export type FlowMemory = {
  /** The head of the pull request now. Null when it is not known, or the flow is about none. */
  readonly headSha: string | null;
  /** Its head when the last of them was made. */
  readonly lastReviewedSha: string | null;
  /** The oldest first; `at` as ISO 8601, `text` an agent's result. */
  readonly findings: readonly { readonly sha: string | null; readonly at: string; readonly text: string }[];
};

/** What a template sees: the payload at the root, these as `{{@event.title}}`, `{{@argument}}`. */
export interface TemplateContext {
  readonly event: WebhookEvent;
  readonly argument: string;
  /** The webhook's text commands as a list, for a help text (`{{@commands}}`); left out: none. */
  readonly commands?: string;
  /** What was said before in its flow (`{{@flow.lastReviewedSha}}`); left out where the template does not ask. */
  readonly flow?: FlowMemory;
  /** Who wrote the payload value at a path (`['issue', 'title']`); null when the payload does not say. */
  readonly authorOf: (path: readonly string[]) => string | null;
}

/** Compiled conditions of a trigger command. */
export interface Conditions {
  /** As the user wrote them: MongoDB query operators on dotted paths, and on places of the request (`header:x-event`). */
  readonly source: JsonObject;
  /** The first condition that does not hold, in words; null when all hold. `request` left out: it has neither headers nor query. */
  unmet(payload: JsonObject, request?: RequestHead): string | null;
}

interface CommandBase {
  /** Unique in its webhook: the name of a text command, `trigger:<n>` of a static trigger, `cmd-…` of a dynamic one. */
  readonly id: string;
  /** Name of the action, default `create_task`. */
  readonly action: string;
  readonly targetAgent: string;
  readonly template: CommandTemplate;
  readonly requiresApproval: boolean;
  /** `never`: its task does not wait either where a stranger can have written the words. */
  readonly approval: 'never' | null;
  /**
   * Its events wait for further ones of their flow, and become one task: `window` since the last, `max` since the first (`30s`, `5m`).
   * Null when they do not wait.
   */
  readonly coalesce: { readonly window: string; readonly max: string } | null;
  /** Settings of the action (`forward`: urls, `run`: program, …). */
  readonly options: JsonObject;
  /** Other forms of it, among which the external id of an event chooses; each holds one command. Empty for most. */
  readonly variants: readonly Variant[];
}

/** Whether something acts. `shadow`: it matches and renders, and hookctl records what it would have done. */
export const MODES = ['live', 'shadow'] as const;
export type Mode = (typeof MODES)[number];

/** One of several forms of a webhook or command that are compared with each other. */
export interface Variant {
  readonly name: string;
  /** Its share among the live ones. */
  readonly weight: number;
  readonly mode: Mode;
  readonly commands: readonly WebhookCommand[];
  readonly defaultCommand: string | null;
  /** As the user wrote it. */
  readonly source: JsonObject;
}

/** Words that steer what already runs: never names of commands, so that they start no work. */
export const RESERVED_COMMAND_NAMES = ['approve', 'stop'] as const;

export interface TextCommand extends CommandBase {
  readonly kind: 'text';
  readonly name: string;
  readonly aliases: readonly string[];
}

export interface TriggerCommand extends CommandBase {
  readonly kind: 'trigger';
  /** Event type, `issues.*`, or `*`. */
  readonly trigger: string;
  readonly conditions: Conditions;
  /** Lowest first; default 100, ties in order of creation. */
  readonly priority: number;
}

export type WebhookCommand = TextCommand | TriggerCommand;

/** Who may command. An empty list allows no sender. */
export interface SenderRule {
  readonly associations: readonly string[];
  /** Provider ids of people, as text. */
  readonly users: readonly string[];
  /** App ids of bots that may command. */
  readonly apps: readonly string[];
}

/** Where a webhook was written, for messages that send the user there. */
export type WebhookOrigin =
  | { readonly kind: 'built-in' }
  | { readonly kind: 'static'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'dynamic'; readonly webhookId: string };

/** A webhook as the pipeline sees it: validated, templates compiled, secrets resolved, frozen. */
export interface Webhook {
  readonly name: string;
  /** Name of the provider. */
  readonly providerName: string;
  /** The provider itself, as this webhook's options shape it. */
  readonly provider: Provider;
  /** Raw request path it answers on, e.g. `/webhooks/github`. */
  readonly endpoint: string;
  readonly origin: WebhookOrigin;
  readonly enabled: boolean;
  /** Whose it is, and with it all that its deliveries make. */
  readonly owner: string;
  /** Words to find it by. */
  readonly labels: readonly string[];
  readonly mode: Mode;
  /** Other forms of the whole webhook, among which the external id of an event chooses. Empty for most. */
  readonly variants: readonly Variant[];
  readonly secrets: readonly WebhookSecret[];
  /** In words, for `serve` and `status`: `GITHUB_WEBHOOK_SECRET`, `generated`, `GITHUB_WEBHOOK_SECRET is not set`. */
  readonly secretSource: string;
  readonly commandPrefix: string;
  /** False: the default command runs on `events` without a prefix (Sentry). */
  readonly requirePrefix: boolean;
  readonly targetAgent: string;
  readonly defaultCommand: string | null;
  /** Event types (`issues.*`, `*`) on which edits, or with `requirePrefix: false` any event, may command. */
  readonly events: readonly string[];
  readonly allow: SenderRule;
  readonly commands: readonly WebhookCommand[];
  readonly syncToClaudeTasks: boolean;
  /** Also accept, as unverified, what came through a relay that changed the bytes. */
  readonly allowUnverifiable: boolean;
  /** What was fetched from the sender's log runs and posts like what is verified. */
  readonly trustFetched: boolean;
  /** Settings of the provider. */
  readonly options: JsonObject;
}

/** The commands of a webhook in all their forms: what it may do, whichever variant decides. */
export function allCommands({
  commands,
  variants,
}: Pick<Webhook, 'commands' | 'variants'>): readonly WebhookCommand[] {
  const forms = [...variants, ...commands.flatMap((command) => command.variants)];
  return forms.length === 0 ? commands : [...commands, ...forms.flatMap((form) => form.commands)];
}

/** The webhooks in force: built once, never changed, swapped as a whole. */
export interface Snapshot {
  readonly webhooks: readonly Webhook[];
  readonly byEndpoint: ReadonlyMap<string, Webhook>;
  readonly byName: ReadonlyMap<string, Webhook>;
  /** Dynamic webhooks by what stays when their name changes. */
  readonly byWebhookId: ReadonlyMap<string, Webhook>;
}

/** The owner of every webhook that names none: who runs hookctl. */
export const OPERATOR = 'operator';

/** What names of owners look like; in messages: lower-case letters, digits, `-` and `_`, at most 64. */
export const OWNER_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * A name that counts for one owner alone (of a flow, of what a person wrote), so that what two owners hear of one subject stays
 * apart. The operator's is the name itself.
 */
export function ownedName(owner: string, name: string): string {
  return owner === OPERATOR ? name : `${owner}|${name}`;
}

/** Whether a name is one of this owner. */
export function isOwnedName(owner: string, name: string): boolean {
  return owner === OPERATOR ? !/^[a-z0-9_-]+\|/.test(name) : name.startsWith(`${owner}|`);
}

/** The name without its owner. */
export function unownedName(owner: string, name: string): string {
  return owner === OPERATOR ? name : name.slice(owner.length + 1);
}
