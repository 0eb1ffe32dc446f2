import { type CallSite, callerSite } from '../../lib/call-site.ts';
import type { WebhookDefinition } from './definition.ts';

/** Registered under a name, so that a definition is known even if the project has a hookctl of its own installed. */
const DEFINED: unique symbol = Symbol.for('hookctl.webhook');

/** What `defineWebhook` returns and a module under `static:` exports by default (or an array of them). */
export interface DefinedWebhook {
  readonly [DEFINED]: {
    readonly definition: WebhookDefinition;
    /** Where `defineWebhook` was called, for messages; null when the stack does not tell. */
    readonly calledAt: CallSite | null;
  };
}

/**
 * Declares a static webhook. The definition is validated when hookctl loads the module, so that all mistakes of
 * all modules are reported at once; nothing is thrown here.
 *
 * @example
 * export default defineWebhook({
 *   name: 'triage',
 *   provider: 'github',
 *   commands: [{ trigger: 'issues.opened', template: 'Triage {{issue.title}}' }],
 * });
 */
export function defineWebhook(definition: WebhookDefinition): DefinedWebhook {
  return { [DEFINED]: { definition, calledAt: callerSite() } };
}

/** The definition inside what `defineWebhook` returned; null for anything else. */
export function definitionOf(value: unknown): DefinedWebhook[typeof DEFINED] | null {
  return typeof value === 'object' && value !== null && DEFINED in value
    ? (value as DefinedWebhook)[DEFINED]
    : null;
}
