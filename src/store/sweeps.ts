/**
 * The last look into a sender's log for one connection. Times are epoch milliseconds; `since` and `through` are by the
 * sender's clock, which may differ from ours.
 */
export interface Sweep {
  readonly connectionId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** From when on the log was read. */
  readonly since: number;
  /** Up to when all that was sent is here: the next sweep goes on there. */
  readonly through: number;
  /** Deliveries that the log holds since then. */
  readonly listed: number;
  /** Of these, how many had not arrived. */
  readonly missing: number;
  /** Of the missing, how many the sender sent again, so that they were verified. */
  readonly redelivered: number;
  /** Of the missing, how many were read from the log. */
  readonly fetched: number;
  /** Why not all of it could be read or taken in; null when it was. */
  readonly problem: string | null;
}

/** What is known of a sender's delivery id. */
export interface Arrival {
  readonly senderDeliveryId: string;
  /** Each time its signature did not fit. */
  readonly isRefused: boolean;
}

/** By what an event is known again whose sender gives its deliveries no id, or another one. */
interface KnownEvent {
  readonly externalId: string | null;
  readonly eventType: string | null;
  /** Dedupe keys; where there are none, the type tells an event of its subject. */
  readonly keys: readonly string[];
}

/** A webhook, by the name or id under which its deliveries are stored. */
interface Receiver {
  readonly name: string;
  readonly id: string | null;
}

export interface SweepReader {
  /** The last sweep of each connection. */
  sweeps(): readonly Sweep[];
  /** Those of a sender's delivery ids that came to a webhook, under this name or id, at or after a moment. */
  arrivals(webhook: Receiver, senderDeliveryIds: readonly string[], since: number): readonly Arrival[];
  /** Whether a settled delivery to a webhook brought an event, under whichever id of its sender. */
  isKnown(webhook: Receiver, event: KnownEvent): boolean;
  /** The dedupe keys of a webhook's pending deliveries. */
  pendingKeys(webhook: Receiver): readonly string[];
}

export interface SweepWriter {
  /** Replaces the connection's last one; nothing when the connection is gone. */
  noteSweep(sweep: Sweep): Promise<void>;
}
