/**
 * The vocabulary of hookctl. Each word means one thing, everywhere: code, CLI, API, files.
 *
 * - **provider**: who sends (github, jira, …): how its requests are signed, what they say, how to answer.
 * - **webhook**: one configured endpoint: provider, secrets, sender rule, commands. *Static* ones are TypeScript,
 *   *dynamic* ones live in the JSON db. Names are unique over both.
 * - **command**: a rule of a webhook. A *text command* is found behind the prefix in what a person wrote; a
 *   *trigger command* fires on an event type and conditions.
 * - **action**: what a command does (`create_task`, …).
 * - **delivery**: one request received by a webhook: raw bytes, headers, verdict, events, and what became of it.
 * - **event**: what a delivery says, in common terms. A delivery has one, or several (alert envelopes).
 * - **task**: a unit of agent work. **flow**: everything around one external id. **conversation**: the tasks that
 *   share an agent's context inside a flow.
 * - **retry**: the same record again. **replay**: stored bytes as a *new* delivery.
 * - **ack**: the HTTP answer to the sender. **tunnel**: a public URL that leads to the ingress socket only.
 *
 * The CLI also has commands: those are `CliCommand` and live under `cli/` alone.
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Header names in lower case; a header that came twice is joined with `, ` as node:http does. */
export type Headers = Readonly<Record<string, string>>;

/** A request as it came: nothing decoded, nothing re-serialised. What was signed is what stands here. */
export interface RawRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Query string without `?`, exactly as sent; empty when there was none. */
  readonly query: string;
}

/** What a request proves. An expected failure, so it is a value. `cause` is stable and listed by `delivery list`. */
export type Verdict =
  | { readonly ok: true /** Position of the secret that fitted. */; readonly secretIndex: number }
  | { readonly ok: false; readonly cause: VerdictCause; readonly detail: string };

export type VerdictCause =
  | 'no_secret'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_wrong'
  | 'timestamp_invalid'
  | 'timestamp_outside_window'
  /** A relay changed the bytes: the signature proves nothing, neither way. */
  | 'unverifiable';

/** Who did what an event tells of. */
export interface Sender {
  /** The provider's immutable id (a login can be renamed and taken by somebody else). */
  readonly id: string;
  /** For people to read; no decision is made on it. */
  readonly name: string;
  /** `system`: no person at all (Sentry's own events, CI, alerts); verification is enough for those. */
  readonly kind: 'person' | 'bot' | 'system';
  /** How the sender stands to the place, in the provider's words (GitHub: `OWNER` … `NONE`); null when not told. */
  readonly association: string | null;
  /** Id of the app that acted, or acted for the person; null when none did. */
  readonly appId: string | null;
}

/** What a delivery says, in common terms. */
export interface WebhookEvent {
  /** `issue_comment.created`, `jira:issue_updated`, `message.channels`, … */
  readonly type: string;
  /** Qualified id of what it is about (`github:owner/repo#42`); null when the event has no subject. */
  readonly externalId: string | null;
  readonly sender: Sender | null;
  /** What a person wrote, only on the action that wrote it; null otherwise. */
  readonly text: string | null;
  /** `edited`: the text is an edit, which commands only if the webhook's `events` names this type. */
  readonly textOrigin: 'created' | 'edited';
  readonly title: string | null;
  readonly url: string | null;
  readonly payload: JsonObject;
}

/** A compiled Handlebars template. Rendering never throws on missing values: they are empty. */
export interface Template {
  readonly source: string;
  /** For titles, records, replies and terminals: hidden characters are shown. */
  plain(context: TemplateContext): string;
  /** For an agent: each payload value is fenced and marked with its author and source. */
  fenced(context: TemplateContext): string;
}

/** What a template sees: the payload at the root, these as `{{@event.title}}`, `{{@argument}}`. */
export interface TemplateContext {
  readonly event: WebhookEvent;
  readonly argument: string;
  /** Who wrote the payload value at a path (`['issue', 'title']`); null when the payload does not say. */
  readonly authorOf: (path: readonly string[]) => string | null;
}

/** Compiled conditions of a trigger command. */
export interface Conditions {
  /** As the user wrote them: MongoDB query operators on dotted paths. */
  readonly source: JsonObject;
  /** The first condition that does not hold, in words; null when all hold. */
  unmet(payload: JsonObject): string | null;
}

interface CommandBase {
  /** Unique in its webhook: the name of a text command, `trigger:<n>` of a static trigger, `cmd-…` of a dynamic one. */
  readonly id: string;
  /** Name of the action, default `create_task`. */
  readonly action: string;
  readonly targetAgent: string;
  readonly template: Template;
  readonly requiresApproval: boolean;
  /** Settings of the action (`forward`: urls, `run`: program, …). */
  readonly options: JsonObject;
}

/** Words that steer what already runs: never names of commands, so that nobody starts work by them. */
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

/** Who may command. Empty lists allow nobody. */
export interface SenderRule {
  readonly associations: readonly string[];
  /** Provider ids of people, as text. */
  readonly users: readonly string[];
  /** App ids of bots that may command. */
  readonly apps: readonly string[];
}

/** A value that must never be printed. Implemented by `lib/secret.ts`. */
export interface Secret {
  reveal(): string;
  toString(): string;
}

export interface WebhookSecret {
  readonly value: Secret;
  /** Epoch milliseconds after which it no longer verifies; null: never. */
  readonly expiresAt: number | null;
}

/** Where a webhook was written, for messages that send the user there. */
export type WebhookOrigin =
  | { readonly kind: 'built-in' }
  | { readonly kind: 'static'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'dynamic'; readonly webhookId: string };

/** A webhook as the pipeline sees it: validated, templates compiled, secrets resolved, frozen. */
export interface Webhook {
  readonly name: string;
  readonly provider: string;
  /** Raw request path it answers on, e.g. `/webhooks/github`. */
  readonly endpoint: string;
  readonly origin: WebhookOrigin;
  readonly enabled: boolean;
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
  /** Settings of the provider. */
  readonly options: JsonObject;
}

/** The webhooks in force: built once, never changed, swapped as a whole. */
export interface Snapshot {
  readonly webhooks: readonly Webhook[];
  readonly byEndpoint: ReadonlyMap<string, Webhook>;
  readonly byName: ReadonlyMap<string, Webhook>;
}

export const DELIVERY_STATUSES = [
  'pending',
  'processed',
  'ignored',
  'failed',
  'duplicate',
  'unparsed',
  'rejected',
] as const;
/** `pending → processed | ignored | failed`; beside them `duplicate`, `unparsed`, `rejected`. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What became of one command for one event: fired, or why not. */
export interface Decision {
  /** Position of the event in its delivery. */
  readonly event: number;
  readonly eventType: string;
  readonly command: string;
  readonly fired: boolean;
  /** Why it fired or did not, in words a user can act on. */
  readonly reason: string;
  /** What the command made, when it fired. */
  readonly taskIds: readonly string[];
  /** Why the action failed, when it did. */
  readonly error: string | null;
}

/**
 * Why a delivery is believed: `verified` by its signature, `operator` when a person on this machine replayed a
 * file, `unverified` under `--insecure-no-verify`. An unverified one never runs a program and never posts.
 */
export type Trust = 'verified' | 'operator' | 'unverified';

/** A delivery's row. Its bytes are read apart, by `Store.body`. Times are epoch milliseconds. */
export interface Delivery {
  readonly id: string;
  readonly webhook: string;
  readonly provider: string;
  readonly status: DeliveryStatus;
  /** Null for rejected rows. */
  readonly trust: Trust | null;
  /** Why it is in this status, in words. */
  readonly reason: string | null;
  /** The sender's own delivery id. */
  readonly senderDeliveryId: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  /** Headers that are no secrets. */
  readonly headers: Headers;
  readonly query: string;
  /** Bytes of the body as received. */
  readonly size: number;
  readonly receivedAt: number;
  readonly settledAt: number | null;
  readonly duplicateOf: string | null;
  readonly replayOf: string | null;
  /** A replay posts outside only when it was asked to. */
  readonly replies: boolean;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
  readonly decisions: readonly Decision[];
}

export const TASK_STATUSES = [
  'waiting_approval',
  'queued',
  'running',
  'waiting_answer',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** A unit of agent work. Times are epoch milliseconds. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  /** Who is to work on it: `brain`, `planning`, `executor`, … */
  readonly agent: string;
  /** The fenced prompt. */
  readonly prompt: string;
  readonly flowId: string;
  readonly conversationId: string;
  /** Where it was made: a provider's name, `cli` or `api`. */
  readonly source: string;
  readonly parentTaskId: string | null;
  /** Tasks that must be completed before this one may start. */
  readonly dependsOn: readonly string[];
  /** Root of the chain; the task itself when it has no parent. */
  readonly initiatedTaskId: string;
  readonly deliveryId: string | null;
  readonly webhook: string | null;
  readonly command: string | null;
  readonly externalId: string;
  readonly url: string | null;
  readonly result: string | null;
  readonly error: string | null;
  /** `claude_task_id`, `claude_list`, and whatever the source adds. */
  readonly sourceMetadata: JsonObject;
  /** Its files belong into Claude's directory. */
  readonly syncToClaudeTasks: boolean;
  /** Why its files are not in Claude's directory although they should be; null when they are or need not be. */
  readonly unsynced: string | null;
  /** Of all runs together, a retried task's earlier ones too. */
  readonly usage: TaskUsage;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the last run began; null when none did since the task was queued. */
  readonly startedAt: number | null;
  /** When it was completed, failed or cancelled; null while it is open. */
  readonly completedAt: number | null;
}

/** What runs of a task took; null: nobody said, or it never ran. */
export interface TaskUsage {
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Milliseconds between start and end. */
  readonly durationMs: number | null;
}

/** What can happen to a task, see `tasks/lifecycle.ts`. */
export const TASK_EVENTS = [
  'approve',
  'answer',
  'start',
  'release',
  'complete',
  'fail',
  'cancel',
  'retry',
] as const;
export type TaskEvent = (typeof TASK_EVENTS)[number];

/** One line of a task's history. `from` and `to` are equal where something was tried that changes nothing. */
export interface Transition {
  /** `create`; `delete`: its entry went out of Claude's list; `reopen`: somebody set a finished entry back there. */
  readonly event: TaskEvent | 'create' | 'delete' | 'reopen';
  /** Null: it was made. */
  readonly from: TaskStatus | null;
  readonly to: TaskStatus;
  /** `cli`, `api`, `claude`, or `github:octocat`. */
  readonly actor: string;
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Everything around one external id. */
export interface Flow {
  readonly id: string;
  readonly externalId: string;
  readonly currentConversationId: string;
  readonly createdAt: number;
}

/** Tasks that share an agent's context, with their totals as they are now. */
export interface Conversation {
  readonly id: string;
  readonly flowId: string;
  readonly createdAt: number;
  readonly byStatus: Readonly<Partial<Record<TaskStatus, number>>>;
  readonly usage: TaskUsage;
  /** When the first of its tasks that ran was started. */
  readonly startedAt: number | null;
  /** When the last of its tasks ended; null while one is open. */
  readonly completedAt: number | null;
}

/** What an action asks for; the store fills in flow, conversation and times. */
export interface NewTask {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  readonly agent: string;
  readonly prompt: string;
  /** What the person typed (argument text): the only place where "start fresh" starts a new conversation. */
  readonly typed: string;
  readonly url: string | null;
  readonly syncToClaudeTasks: boolean;
  readonly sourceMetadata: JsonObject;
}

export const OUTGOING_KINDS = ['comment', 'respond', 'ephemeral', 'react', 'label', 'forward'] as const;
/**
 * What leaves. `comment`: a post where the event came from, found again by its marker. `respond`: through the reply
 * channel that the request brought (Slack's `response_url`). `ephemeral`: a note that only the sender sees. `forward`:
 * the kept bytes to a configured URL.
 */
export type OutgoingKind = (typeof OUTGOING_KINDS)[number];

export const OUTGOING_STATUSES = ['waiting', 'sent', 'failed', 'dropped'] as const;
/** `waiting → sent | failed | dropped`; a failed or dropped one can be made to wait again. */
export type OutgoingStatus = (typeof OUTGOING_STATUSES)[number];

/** Where a reply goes, in the provider's own terms; kept as JSON. Made from ids in the payload, never from its URLs. */
export interface ReplyPlace {
  /** Host on which the event happened (`github.com`); null when the payload does not say. */
  readonly host: string | null;
  readonly [field: string]: string | null;
}

/** What an action asks to be sent. It is recorded with the delivery's outcome and sent afterwards. */
export interface NewOutgoing {
  readonly id: string;
  readonly kind: OutgoingKind;
  /** Empty for `forward`. */
  readonly place: ReplyPlace;
  /** Text of a comment, emoji, label, or URL of a forward. */
  readonly content: string;
  /** The earlier comment whose text this one replaces, by its outgoing id; null: a post of its own. */
  readonly edits: string | null;
  /** A forward's URL may lead into a private network. */
  readonly privateNetwork: boolean;
}

/** One thing that leaves, or has left. Times are epoch milliseconds. */
export interface Outgoing extends NewOutgoing {
  readonly provider: string;
  readonly deliveryId: string;
  readonly status: OutgoingStatus;
  /** Why it failed or waits, in words; null when nothing went wrong. */
  readonly reason: string | null;
  /** Requests that were begun. */
  readonly attempts: number;
  /** A request went out and it is not known what became of it. */
  readonly uncertain: boolean;
  readonly nextAttemptAt: number;
  /** The provider's id of the post, once it stands. */
  readonly remoteId: string | null;
  readonly createdAt: number;
  readonly settledAt: number | null;
}
