/**
 * What a project's own modules import from `hookctl`.
 *
 * @module
 */

export type {
  CoalesceDefinition,
  CommandVariantDefinition,
  PlainCommandDefinition,
  RepairDefinition,
  SenderRuleDefinition,
  StartsDefinition,
  TextCommandDefinition,
  TriggerCommandDefinition,
  WebhookCommandDefinition,
  WebhookDefinition,
  WebhookVariantDefinition,
} from './config/modules/define.ts';
export { type DefinedWebhook, defineWebhook } from './config/modules/define.ts';
export { defineProvider } from './providers/define-provider.ts';
export type {
  EventDraft,
  ParseContext,
  ParseResult,
  ProviderDefinition,
  SignatureSettings,
} from './providers/definition.ts';
export type { BuiltInProvider } from './providers/facts.ts';
export type { DefinedProvider } from './types/defined-provider.ts';
export type {
  Account,
  AccountDefaults,
  Ack,
  CallAnswer,
  EventAuthor,
  FormField,
  HandshakeMethod,
  HandshakeRule,
  Headers,
  JsonObject,
  JsonValue,
  OutgoingCall,
  OutgoingRequest,
  Parsed,
  ParseSettings,
  Post,
  RawRequest,
  ReplyChannel,
  Sample,
  SampleContext,
  Secret,
  Sender,
  Sent,
  SignContext,
  TextFormat,
  TextSpan,
  ThreadRef as ReplyPlace,
  Verdict,
  VerdictCause,
  WebhookEvent,
  WebhookSecret,
} from './types.ts';
