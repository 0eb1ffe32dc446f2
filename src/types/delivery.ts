import type { Headers } from './request.ts';

export const DELIVERY_STATUSES = [
  'pending',
  'processed',
  'ignored',
  'failed',
  'duplicate',
  'unparsed',
  'rejected',
] as const;
/** `pending → processed | ignored | failed`; beside them `duplicate`, `unparsed`, `rejected`. */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What became of one command for one event: fired, or why not. */
export interface Decision {
  /** Position of the event in its delivery. */
  readonly event: number;
  readonly eventType: string;
  readonly command: string;
  readonly fired: boolean;
  /** Why it fired or did not, in words a user can act on. */
  readonly reason: string;
  /** What the command made, when it fired. */
  readonly taskIds: readonly string[];
  /** Why the action failed, when it did. */
  readonly error: string | null;
  /** The variant that decided: `b` of the webhook, `fix/b` of the command `fix`. Left out where there are no variants. */
  readonly variant?: string | undefined;
  /** Only of what decided in shadow: what it would have done; null when it would not have fired. */
  readonly would?: WouldHave | null | undefined;
}

/** What a command in shadow would have done. */
export interface WouldHave {
  readonly action: string;
  readonly agent: string;
  /** Its task would have waited for approval. */
  readonly waits: boolean;
  /** The beginning of its rendered text; empty for an action that renders none. */
  readonly text: string;
}

/** Why a delivery is believed, the least first. */
export const TRUSTS = ['unverified', 'fetched', 'socket', 'verified', 'operator'] as const;
/**
 * Why a delivery is believed: `verified` by its signature, `socket` when it came through a connection that hookctl's own token
 * opened (Slack's Socket Mode), which may do the same; `operator` when a person on this machine replayed a file, or what was
 * fetched. `fetched` from the sender's log by hookctl's token: it makes tasks, all of which wait for approval, and stops them;
 * it runs no program, posts nothing, approves and answers nothing unless its webhook says `trustFetched: true`. `unverified` under
 * `--insecure-no-verify` or `allowUnverifiable`: it never commands, approves, stops or answers, runs no program and posts nothing.
 */
export type Trust = (typeof TRUSTS)[number];

/** The webhook's name in the row of a request that reached no webhook; no webhook can be named so. */
export const NO_WEBHOOK = '(none)';

/** A delivery's row. Its bytes are read apart, by `Store.body`. Times are epoch milliseconds. */
export interface Delivery {
  readonly id: string;
  /** Its name when the delivery came. */
  readonly webhook: string;
  /** Of a dynamic webhook: what stays when its name changes; null for one that is written in code. */
  readonly webhookId: string | null;
  /** Owner of its webhook when the delivery came; a replay has that of what it replays. */
  readonly owner: string;
  readonly provider: string;
  readonly status: DeliveryStatus;
  /** Null for rejected rows. */
  readonly trust: Trust | null;
  /** Why it is in this status, in words. */
  readonly reason: string | null;
  /** The sender's own delivery id. */
  readonly senderDeliveryId: string | null;
  readonly eventType: string | null;
  readonly externalId: string | null;
  readonly senderName: string | null;
  /** Headers that are no secrets. */
  readonly headers: Headers;
  readonly query: string;
  /** Bytes of the body as received. */
  readonly size: number;
  readonly receivedAt: number;
  readonly settledAt: number | null;
  readonly duplicateOf: string | null;
  readonly replayOf: string | null;
  /** A replay posts outside only when it was asked to. */
  readonly replies: boolean;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
  readonly decisions: readonly Decision[];
  /** The variants that decided about it, with a space between them; null where its webhook has none. */
  readonly variant: string | null;
  /** When retention removed its bytes; null while they are kept, or when there never were any. */
  readonly bodyRemovedAt: number | null;
  /** `hookctl trigger` made it, or it replays one that was made so. */
  readonly isSample: boolean;
}
