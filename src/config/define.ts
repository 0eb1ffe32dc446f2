import { fileURLToPath } from 'node:url';
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

export interface CallSite {
  /** Absolute path. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
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
  const frames = new Error().stack?.split('\n') ?? [];
  return { [DEFINED]: { definition, calledAt: callSite(frames[2] ?? '') } };
}

/** The definition inside what `defineWebhook` returned; null for anything else. */
export function definitionOf(value: unknown): DefinedWebhook[typeof DEFINED] | null {
  return typeof value === 'object' && value !== null && DEFINED in value
    ? (value as DefinedWebhook)[DEFINED]
    : null;
}

/** File and line of one line of a stack trace; null when it names no file. */
export function callSite(frame: string): CallSite | null {
  const match = /(file:\/\/.+?|(?<=[\s(])\/.+?):(\d+):\d+\)?$/.exec(frame);
  if (match?.[1] === undefined) return null;
  const file = match[1].startsWith('file:') ? fileURLToPath(match[1]) : match[1];
  return { file, line: Number(match[2]) };
}
