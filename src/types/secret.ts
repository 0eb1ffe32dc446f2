/** A value that must never be printed. Implemented by `lib/secret.ts`. */
export interface Secret {
  reveal(): string;
  toString(): string;
}

export interface WebhookSecret {
  readonly value: Secret;
  /** Epoch milliseconds after which it no longer verifies; null: never. */
  readonly expiresAt: number | null;
}
