import { isJsonObject } from '../../lib/json.ts';
import type { Webhook } from '../../types.ts';
import {
  type Change,
  endpointFor,
  findWebhook,
  isoTime,
  patched,
  readInput,
  refuseFixedFields,
  withWebhook,
} from './change.ts';
import { fromWebhook } from './mapping.ts';
import {
  type DbSecret,
  type DbWebhook,
  type GivenCommand,
  newWebhookSchema,
  secretSchema,
  webhookPatchSchema,
} from './schema.ts';

/** A webhook and the secret that was made for it, to be shown this once; null when none was made. */
export interface Added {
  readonly webhook: DbWebhook;
  readonly generatedSecret: string | null;
}

/** A webhook as it is now, and as it was. */
export interface Updated {
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
 * Adds a dynamic copy of a static or built-in webhook, under a secret and an endpoint of its own. `input` holds what
 * differs (a `WebhookInput` without provider); without a name it is `<name>-dynamic`.
 */
export function addFrom(source: Webhook, input: object): Change<Added> {
  return addWebhook({ ...fromWebhook(source), name: `${source.name}-dynamic`, ...input });
}

/**
 * Changes the fields that `patch` (a `WebhookPatch`) names; absent ones stay, null takes one away. Commands keep the
 * ids that they are given with. Throws `not_found`, `static_webhook`, `name_taken`, `immutable_field`.
 */
export function updateWebhook(ref: string, patch: unknown): Change<Updated> {
  return (state, { now, nextId, fixed }) => {
    const previous = findWebhook(state, ref, fixed);
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

/** Opens or closes (403) the endpoint. Throws `not_found`, `static_webhook`. */
export function setEnabled(ref: string, enabled: boolean): Change<Updated> {
  return updateWebhook(ref, { enabled });
}

/** Takes a webhook away, with its commands; its deliveries stay. Throws `not_found`, `static_webhook`. */
export function removeWebhook(ref: string): Change<DbWebhook> {
  return (state, { fixed }) => {
    const webhook = findWebhook(state, ref, fixed);
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
    const former = findWebhook(state, ref, fixed);
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
export function withIds(
  commands: readonly GivenCommand[],
  nextId: (prefix: 'cmd') => string,
): DbWebhook['commands'] {
  return commands.map((command) => ({ ...command, id: command.id ?? nextId('cmd') }));
}
