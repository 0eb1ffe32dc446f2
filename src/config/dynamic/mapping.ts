import { camelKeys, type SnakeKeys, snakeKeys } from '../../lib/case.ts';
import type { JsonObject, Variant, Webhook, WebhookCommand } from '../../types.ts';
import type { ValidCommand, ValidDefinition } from '../schema.ts';
import type { DbCommand, DbWebhook } from './schema.ts';

/*
 * The one place where the words of the db (snake_case) and those of `defineWebhook` (camelCase) meet.
 */

/** A webhook of the db as `defineWebhook` would take it, but for its secrets. */
export function toDefinition(webhook: DbWebhook): ValidDefinition {
  const { webhook_id, secrets, created_at, updated_at, commands, variants, ...fields } = webhook;
  return {
    ...camelKeys(fields),
    commands: commands.map(toCommandDefinition),
    ...(variants !== undefined && {
      variants: variants.map(({ commands: own, ...variant }) => ({
        ...camelKeys(variant),
        ...(own !== undefined && { commands: own.map(camelKeys) }),
      })),
    }),
  };
}

function toCommandDefinition({ id, variants, ...fields }: DbCommand): ValidCommand {
  return { ...camelKeys(fields), ...(variants !== undefined && { variants: variants.map(camelKeys) }) };
}

/** The fields of a webhook in force that are one by one in its definition, in the words of the db. */
export function shownFields(webhook: Webhook) {
  const { origin, provider, providerName, secrets, secretSource, commands, variants, ...fields } = webhook;
  return { provider: providerName, ...snakeKeys(fields), variants: variants.map(givenVariant) };
}

/** A command as the db and the API write it. */
export function givenCommand(
  command: WebhookCommand,
): SnakeKeys<Omit<ValidCommand, 'variants'>> & { readonly variants?: readonly JsonObject[] } {
  const { id, kind, template, approval, coalesce, variants, ...same } = command;
  const fields = 'conditions' in same ? { ...same, conditions: same.conditions.source } : same;
  const given: SnakeKeys<Omit<ValidCommand, 'variants'>> = snakeKeys({
    ...fields,
    // Of an action that renders none it is empty, and would be refused.
    ...(template.source !== '' && { template: template.source }),
    ...(approval !== null && { approval }),
    ...(coalesce !== null && { coalesce }),
  });
  return { ...given, ...(variants.length > 0 && { variants: variants.map(givenVariant) }) };
}

/** A variant as it was written, in the words of the db. */
function givenVariant({ source }: Variant): JsonObject {
  const { commands, ...fields } = source;
  const own = Array.isArray(commands) ? (commands as readonly JsonObject[]) : null;
  return { ...snakeKeys(fields), ...(own !== null && { commands: own.map((each) => snakeKeys(each)) }) };
}
