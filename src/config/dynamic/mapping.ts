import { camelKeys, type SnakeKeys, snakeKeys } from '../../lib/case.ts';
import type { Webhook, WebhookCommand } from '../../types.ts';
import type { ValidCommand, ValidDefinition } from '../schema.ts';
import type { DbCommand, DbWebhook } from './schema.ts';

/*
 * The one place where the words of the db (snake_case) and those of `defineWebhook` (camelCase) meet.
 */

/** A webhook of the db as `defineWebhook` would take it, but for its secrets. */
export function toDefinition(webhook: DbWebhook): ValidDefinition {
  const { webhook_id, secrets, created_at, updated_at, commands, ...fields } = webhook;
  return { ...camelKeys(fields), commands: commands.map(toCommandDefinition) };
}

function toCommandDefinition({ id, ...fields }: DbCommand): ValidCommand {
  return camelKeys(fields);
}

/** The fields of a webhook in force that are one by one in its definition, in the words of the db. */
export function shownFields(webhook: Webhook) {
  const { origin, provider, providerName, secrets, secretSource, commands, ...fields } = webhook;
  return { provider: providerName, ...snakeKeys(fields) };
}

/** A command as the db and the API write it. */
export function givenCommand(command: WebhookCommand): SnakeKeys<ValidCommand> {
  const { id, kind, template, approval, coalesce, ...same } = command;
  const fields = 'conditions' in same ? { ...same, conditions: same.conditions.source } : same;
  return snakeKeys({
    ...fields,
    // Of an action that renders none it is empty, and would be refused.
    ...(template.source !== '' && { template: template.source }),
    ...(approval !== null && { approval }),
    ...(coalesce !== null && { coalesce }),
  });
}
