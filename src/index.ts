/**
 * What a project's own modules import from `hookctl`.
 *
 * @module
 */
export { type DefinedWebhook, defineWebhook } from './config/define.ts';
export type {
  SenderRuleDefinition,
  TextCommandDefinition,
  TriggerCommandDefinition,
  WebhookCommandDefinition,
  WebhookDefinition,
} from './config/definition.ts';
export type { JsonObject, JsonValue } from './types.ts';
