import type { z } from 'zod';
import { ConfigError, failure, HookctlError } from '../../errors.ts';
import { issuesOf, toDiagnostic } from '../../lib/diagnostics.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Webhook } from '../../types.ts';
import { findWebhook } from './find.ts';
import type { DbState, DbWebhook } from './schema.ts';

/** What a change may look at, and take new things from. */
export interface EditContext {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly nextId: (prefix: 'wh' | 'cmd') => string;
  /** A new secret, in the form that the webhook's provider wants. */
  readonly newSecret: (webhook: Pick<DbWebhook, 'provider' | 'options'>) => string;
  /** Built-in and static webhooks, which cannot be changed here and whose names are taken. */
  readonly fixed: readonly Webhook[];
}

/**
 * A pure change of the db: the state as it is on disk under the lock → the next one, and what is to be told. Throws
 * HookctlError, and then nothing is written. Made by `edit.ts`, `edit-commands.ts` and `import.ts`, run by
 * `DynamicWebhooks.edit`.
 */
export type Change<T> = (
  state: DbState,
  context: EditContext,
) => { readonly state: DbState; readonly result: T };

/** What a user gave, read by a schema. `place` names it in messages (`webhook add`). Throws ConfigError. */
export function readInput<T extends z.ZodType>(schema: T, given: unknown, place: string): z.output<T> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const source = { file: place, position: () => ({}) };
  throw new ConfigError(issuesOf(schema, result.error).map((issue) => toDiagnostic(source, issue)));
}

/**
 * The dynamic webhook that `findWebhook` finds. Throws `static_webhook` (with file and line) for one that is written in
 * the project, `not_found` for none.
 */
export function findDynamic({ webhooks }: DbState, ref: string, fixed: readonly Webhook[]): DbWebhook {
  const found = findWebhook([...webhooks, ...fixed], ref);
  if ('webhook_id' in found) return found;
  throw staticWebhook(found);
}

/** A webhook that is code cannot be changed as data. */
function staticWebhook({ name, origin }: Webhook): HookctlError {
  if (origin.kind !== 'static') {
    return failure('static_webhook', `${name} is built in and cannot be changed while serving`, {
      fix: `Adjust it under webhooks.${name} in webhooks.yml, or copy it: ${commandLine('hookctl', 'webhook', 'add', '--from', name)}`,
    });
  }
  const place = origin.line === null ? origin.file : `${origin.file}:${origin.line}`;
  return failure('static_webhook', `${name} is static: it is written in ${place}`, {
    fix: `Edit that file and restart serve, or copy it: ${commandLine('hookctl', 'webhook', 'add', '--from', name)}`,
  });
}

/** A new webhook at the end, or one in place of the one with its id. Throws `name_taken`. */
export function withWebhook(state: DbState, webhook: DbWebhook, fixed: readonly Webhook[]): DbState {
  const others = state.webhooks.filter(({ webhook_id }) => webhook_id !== webhook.webhook_id);
  const taken = named(others, webhook.name) ?? named(fixed, webhook.name);
  if (taken !== undefined) {
    const message = `the name ${webhook.name} is taken by ${'webhook_id' in taken ? taken.webhook_id : `the ${taken.origin.kind} webhook`}`;
    throw failure('name_taken', message, { fix: 'Choose another name: upper and lower case do not differ.' });
  }
  const isNew = others.length === state.webhooks.length;
  return {
    ...state,
    webhooks: isNew
      ? [...state.webhooks, webhook]
      : state.webhooks.map((it) => (it.webhook_id === webhook.webhook_id ? webhook : it)),
  };
}

function named<T extends { readonly name: string }>(webhooks: readonly T[], name: string): T | undefined {
  const lower = name.toLowerCase();
  return webhooks.find((webhook) => webhook.name.toLowerCase() === lower);
}

/** The one endpoint that a dynamic webhook can have. */
export function endpointFor(provider: string, webhookId: string): string {
  return `/webhooks/${provider}/${webhookId}`;
}

/** Fields that say which webhook it is and when it came: part of its URL and of what was recorded. */
const FIXED_FIELDS = ['webhook_id', 'id', 'provider', 'endpoint', 'created_at', 'updated_at'];

/** Throws `immutable_field` when a change names a field that cannot be changed. */
export function refuseFixedFields(patch: unknown): void {
  if (typeof patch !== 'object' || patch === null) return;
  const field = FIXED_FIELDS.find((name) => Object.hasOwn(patch, name));
  if (field === undefined) return;
  const fix = `Leave ${field} out; for another one add a webhook: hookctl webhook add`;
  throw new HookctlError('immutable_field', 2, `${field} cannot be changed`, { fix });
}

/** Fields that the patch names replace those of the target, absent ones stay, null takes one away. */
export function patched<T extends object>(target: T, patch: object): T {
  const entries = Object.entries({ ...target, ...patch });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined)) as T;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
