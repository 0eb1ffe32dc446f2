import type { JsonObject } from './request.ts';

export interface Actor {
  /**
   * `cli`: a person at a terminal. `api`: a request with the management token. `server`: hookctl itself. `sender`: a
   * person at a provider, by what they wrote.
   */
  readonly kind: 'cli' | 'api' | 'server' | 'sender';
  /** In words: `ada (pid 4711)`, `hookctl serve`, `github:ada`. */
  readonly name: string;
}

/** What was changed, by whom. Never a secret's value. */
export interface NewAuditEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: Actor;
  /** Noun and verb: `webhook.add`, `task.approve`, `serve.start`. */
  readonly what: string;
  /** Whose the thing is that was changed. */
  readonly owner: string;
  /** Id or name of the thing; null where there is none. */
  readonly target: string | null;
  /** Which fields, counts, flags. */
  readonly details: JsonObject;
  /** Content hash of `webhooks.json` after the change. Null when another thing was changed. */
  readonly revision: string | null;
}

/** A line of the audit; it is never changed and never deleted. */
export interface AuditEntry extends NewAuditEntry {
  /** In the order of recording. */
  readonly id: number;
}
