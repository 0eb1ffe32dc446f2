import type { Configured } from '../types.ts';

/** File and line of a call, for messages. */
export interface CallSite {
  /** Absolute path. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/** Registered under a name, so that a definition is known even if the project has a hookctl of its own installed. */
const DEFINED: unique symbol = Symbol.for('hookctl.provider');

/** What `defineProvider` found: the provider, or all that is wrong. */
export interface ProviderDraft {
  /** As it was written; empty when it is no text. */
  readonly name: string;
  readonly result: Configured;
  /** Where `defineProvider` was called; null when the stack does not tell. */
  readonly calledAt: CallSite | null;
}

/** What `defineProvider` returns and `defineWebhook` takes as its `provider`. */
export interface DefinedProvider {
  readonly [DEFINED]: ProviderDraft;
}

/** Wraps a draft, so that it can be told from everything else. */
export function definedProvider(draft: ProviderDraft): DefinedProvider {
  return { [DEFINED]: draft };
}

/** The draft inside what `defineProvider` returned; null for anything else. */
export function providerDraft(value: unknown): ProviderDraft | null {
  return typeof value === 'object' && value !== null && DEFINED in value
    ? (value as DefinedProvider)[DEFINED]
    : null;
}
