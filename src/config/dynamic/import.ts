import { z } from 'zod';
import { isJsonObject } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { type Change, type EditContext, endpointFor, isoTime, readInput, withWebhook } from './change.ts';
import { type Added, withIds } from './edit.ts';
import { type DbState, type DbWebhook, type ImportedWebhook, importedWebhookSchema } from './schema.ts';

/** What became of one imported webhook. */
export interface Imported extends Added {
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
