import type { JsonObject } from '../types.ts';

/** One promise of a provider. */
export interface ContractCheck {
  /** What a user relies on, as the name of a test. */
  readonly name: string;
  /** Resolves when it holds, throws what does not. */
  readonly run: () => void;
}

export interface ContractOptions {
  /** The secret with which samples are signed. Default: one that the provider makes. */
  readonly secret?: string | undefined;
  /** Options of a webhook, where the provider takes settings. */
  readonly options?: JsonObject | undefined;
}
