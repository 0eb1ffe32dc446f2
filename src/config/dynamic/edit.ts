import { z } from 'zod';
import { isJsonObject } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import {
  type Change,
  type EditContext,
  endpointFor,
  findDynamic,
  isoTime,
  patched,
  readInput,
  refuseFixedFields,
  withWebhook,
} from './change.ts';
import { findCommand } from './find.ts';
import {
  commandPatchSchema,
  type DbCommand,
  type DbSecret,
  type DbState,
  type DbWebhook,
  type GivenCommand,
  type ImportedWebhook,
  importedWebhookSchema,
  newCommandSchema,
  newWebhookSchema,
  secretSchema,
  webhookPatchSchema,
} from './schema.ts';

/** A webhook and the secret that was made for it, to be shown this once; null when none was made. */
interface Added {
  readonly webhook: DbWebhook;
  readonly generatedSecret: string | null;
}

/** A webhook as it is now, and as it was. */
interface Updated {
  readonly webhook: DbWebhook;
  readonly previous: DbWebhook;
}

interface Rotated extends Added {
  /** The former secrets that still verify, each until its `expires_at`. */
  readonly retiring: readonly DbSecret[];
}

/**
 * Adds a webhook. `input` is a `WebhookInput`; everything else is refused by a ConfigError that names the fields.
 * Without a secret one is generated. Throws `name_taken`.
 */
export function addWebhook(input: unknown): Change<Added> {
  return (state, { now, nextId, newSecret, fixed }) => {
    const given = readInput(newWebhookSchema, withoutView(input), 'webhook add');
    const webhookId = nextId('wh');
    const generatedSecret = given.secrets.length === 0 ? newSecret(given) : null;
    const webhook: DbWebhook = {
      webhook_id: webhookId,
      endpoint: endpointFor(given.provider, webhookId),
      ...given,
      secrets: generatedSecret === null ? given.secrets : [{ value: generatedSecret }],
      enabled: given.enabled ?? true,
      commands: withIds(given.commands, nextId),
      created_at: isoTime(now),
      updated_at: isoTime(now),
    };
    return { state: withWebhook(state, webhook, fixed), result: { webhook, generatedSecret } };
  };
}

/** Fields of a webhook as the API shows it that a new one gets by itself. */
const SHOWN_ONLY = [
  ...['webhook_id', 'endpoint', 'url', 'origin', 'file', 'line', 'has_secret', 'secret_source'],
  ...['created_at', 'updated_at', 'deliveries', 'total', 'last_delivery_id', 'last_received_at'],
];

/**
 * A webhook as `GET /api/webhooks/{id}` gives it, as input: so one POST of it makes a static webhook a dynamic one.
 * Anything else is returned as it is, and its unknown fields are refused.
 */
function withoutView(input: unknown): unknown {
  if (!isJsonObject(input) || !('origin' in input && 'has_secret' in input)) return input;
  const entries = Object.entries(input).filter(
    ([name, value]) => !SHOWN_ONLY.includes(name) && value !== null,
  );
  const { commands, ...rest } = Object.fromEntries(entries);
  if (!Array.isArray(commands)) return { ...rest, ...(commands !== undefined && { commands }) };
  return { ...rest, commands: commands.map((it) => (isJsonObject(it) ? { ...it, id: undefined } : it)) };
}

/**
 * Changes the fields that `patch` (a `WebhookPatch`) names; absent ones stay, null takes one away. Commands keep the
 * ids that they are given with. Throws `not_found`, `static_webhook`, `name_taken`, `immutable_field`.
 */
export function updateWebhook(ref: string, patch: unknown): Change<Updated> {
  return (state, { now, nextId, fixed }) => {
    const previous = findDynamic(state, ref, fixed);
    refuseFixedFields(patch);
    const { secret, secrets, commands, ...rest } = readInput(webhookPatchSchema, patch, 'webhook edit');
    const given = secret === undefined ? secrets : secret === null ? [] : [{ value: secret }];
    const webhook: DbWebhook = {
      ...patched(previous, rest),
      ...(rest.enabled === null && { enabled: true }),
      ...(given !== undefined && { secrets: given ?? [] }),
      ...(commands !== undefined && { commands: withIds(commands ?? [], nextId) }),
      updated_at: isoTime(now),
    };
    return { state: withWebhook(state, webhook, fixed), result: { webhook, previous } };
  };
}

/** Like `updateWebhook`, but `allow` and `options` keep what the patch does not name in them. */
export function mergeWebhook(ref: string, patch: JsonObject): Change<Updated> {
  return (state, context) => {
    const { allow, options } = findDynamic(state, ref, context.fixed);
    const merged = {
      ...patch,
      ...(isJsonObject(patch.allow) && { allow: { ...allow, ...patch.allow } }),
      ...(isJsonObject(patch.options) && { options: { ...options, ...patch.options } }),
    };
    return updateWebhook(ref, merged)(state, context);
  };
}

/** Opens or closes (403) the endpoint. Throws `not_found`, `static_webhook`. */
export function setEnabled(ref: string, enabled: boolean): Change<Updated> {
  return updateWebhook(ref, { enabled });
}

/** Takes a webhook away, with its commands; its deliveries stay. Throws `not_found`, `static_webhook`. */
export function removeWebhook(ref: string): Change<DbWebhook> {
  return (state, { fixed }) => {
    const webhook = findDynamic(state, ref, fixed);
    return {
      state: { ...state, webhooks: state.webhooks.filter((it) => it !== webhook) },
      result: webhook,
    };
  };
}

interface RotateOptions {
  /** How long the former secrets still verify, in milliseconds; 0: not at all. */
  readonly overlapMs: number;
  /** The new secret, `{ value }` or `{ env }`. Default: one is generated. */
  readonly secret?: unknown;
}

/** Puts a new secret in the place of the former ones. Throws `not_found`, `static_webhook`. */
export function rotateSecret(ref: string, { overlapMs, secret }: RotateOptions): Change<Rotated> {
  return (state, { now, newSecret, fixed }) => {
    const former = findDynamic(state, ref, fixed);
    const generatedSecret = secret === undefined ? newSecret(former) : null;
    const fresh =
      generatedSecret === null
        ? readInput(secretSchema, secret, 'webhook rotate-secret')
        : { value: generatedSecret };
    const retiring = former.secrets
      .map((it): DbSecret => ({ ...it, expires_at: isoTime(Math.min(expiryOf(it), now + overlapMs)) }))
      .filter((it) => expiryOf(it) > now);
    const webhook = { ...former, secrets: [fresh, ...retiring], updated_at: isoTime(now) };
    return { state: withWebhook(state, webhook, fixed), result: { webhook, generatedSecret, retiring } };
  };
}

/** Epoch milliseconds; Infinity: never. */
function expiryOf({ expires_at }: DbSecret): number {
  return expires_at == null ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
}

/** Commands with an id each: the one that they came with, or a new one. */
function withIds(
  commands: readonly GivenCommand[],
  nextId: (prefix: 'cmd') => string,
): DbWebhook['commands'] {
  return commands.map((command) => ({ ...command, id: command.id ?? nextId('cmd') }));
}

/** A command that was added, changed or removed, and its webhook as it is now. */
interface CommandChanged {
  readonly webhook: DbWebhook;
  readonly command: DbCommand;
}

/** Adds a command (a `CommandInput`) behind the others. Throws `not_found`, `static_webhook`, ConfigError. */
export function addCommand(webhookRef: string, input: unknown): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findDynamic(state, webhookRef, context.fixed);
    const given = readInput(newCommandSchema, input, 'webhook command add');
    const command = { id: context.nextId('cmd'), ...given };
    return changed(state, webhook, { command, commands: [...webhook.commands, command] }, context);
  };
}

/**
 * Changes the fields that `patch` (a `CommandPatch`) names; absent ones stay, null takes one away.
 */
export function updateCommand(
  webhookRef: string,
  commandRef: string,
  patch: unknown,
): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findDynamic(state, webhookRef, context.fixed);
    const former = findCommand(webhook, commandRef);
    refuseFixedFields(patch);
    const command = patched(former, readInput(commandPatchSchema, patch, 'webhook command edit'));
    const commands = webhook.commands.map((it) => (it === former ? command : it));
    return changed(state, webhook, { command, commands }, context);
  };
}

/** Takes a command away. */
export function removeCommand(webhookRef: string, commandRef: string): Change<CommandChanged> {
  return (state, context) => {
    const webhook = findDynamic(state, webhookRef, context.fixed);
    const command = findCommand(webhook, commandRef);
    const commands = webhook.commands.filter((it) => it !== command);
    return changed(state, webhook, { command, commands }, context);
  };
}

interface NewCommands {
  readonly command: DbCommand;
  readonly commands: readonly DbCommand[];
}

function changed(
  state: DbState,
  former: DbWebhook,
  { command, commands }: NewCommands,
  { now, fixed }: EditContext,
) {
  const webhook: DbWebhook = { ...former, commands, updated_at: isoTime(now) };
  return { state: withWebhook(state, webhook, fixed), result: { webhook, command } };
}

/** What became of one imported webhook. */
interface Imported extends Added {
  readonly outcome: 'added' | 'updated';
}

const importSchema = z.strictObject({
  schema_version: z.int().optional(),
  webhooks: z.array(importedWebhookSchema),
});

/**
 * Adds webhooks, or replaces those with the same id. `input` is what `exportWebhooks` gave, a list of webhooks, or
 * one. Those without secrets keep the ones they have, and get a generated one when they are new. All or nothing.
 */
export function importWebhooks(input: unknown): Change<readonly Imported[]> {
  return (state, context) => {
    const whole = Array.isArray(input) ? { webhooks: input } : isWhole(input) ? input : { webhooks: [input] };
    const { webhooks } = readInput(importSchema, whole, 'webhook import');
    const result: Imported[] = [];
    let next = state;
    for (const given of webhooks) {
      const imported = importOne(next, given, context);
      next = withWebhook(next, imported.webhook, context.fixed);
      result.push(imported);
    }
    return { state: next, result };
  };
}

/** Webhooks for `import`, here or elsewhere. Without `withSecrets` only the names of variables go along. */
export function exportWebhooks(
  webhooks: readonly DbWebhook[],
  { withSecrets }: { readonly withSecrets: boolean },
): JsonObject {
  const exported = webhooks.map((webhook) => ({
    ...webhook,
    secrets: withSecrets ? webhook.secrets : webhook.secrets.filter((secret) => 'env' in secret),
  }));
  return { webhooks: exported as unknown as JsonObject[] };
}

function isWhole(input: unknown): boolean {
  return isJsonObject(input) && Object.hasOwn(input, 'webhooks');
}

function importOne(state: DbState, given: ImportedWebhook, context: EditContext): Imported {
  const webhookId = given.webhook_id ?? context.nextId('wh');
  const former = state.webhooks.find(({ webhook_id }) => webhook_id === webhookId);
  const secrets = given.secrets.length > 0 ? given.secrets : (former?.secrets ?? []);
  const generatedSecret = secrets.length === 0 && former === undefined ? context.newSecret(given) : null;
  const webhook: DbWebhook = {
    ...given,
    webhook_id: webhookId,
    endpoint: given.endpoint ?? endpointFor(given.provider, webhookId),
    secrets: generatedSecret === null ? secrets : [{ value: generatedSecret }],
    enabled: given.enabled ?? true,
    commands: withIds(given.commands, context.nextId),
    created_at: former?.created_at ?? given.created_at ?? isoTime(context.now),
    updated_at: isoTime(context.now),
  };
  return { webhook, generatedSecret, outcome: former === undefined ? 'added' : 'updated' };
}
