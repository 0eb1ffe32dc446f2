import type { DeliveryStatus, Headers, Trust } from '../types.ts';

/** What deliveries and tasks are searched for. */
export interface SearchFilter {
  /** An event type, a group of them (`issues.*`), or `*`. */
  readonly event?: string | undefined;
  /** Qualified: `github:acme/shop#12`. */
  readonly externalId?: string | undefined;
  /** Name of the sender, in any case, with or without `@`. */
  readonly sender?: string | undefined;
  /** In any case: of a delivery in its row or body, of a task in title, prompt, result or error. */
  readonly text?: string | undefined;
  /** Epoch milliseconds: received or made then or later. */
  readonly since?: number | undefined;
  /** Then or earlier. */
  readonly until?: number | undefined;
  /** Only rows from this id on: a part of a long list. */
  readonly from?: string | undefined;
}

/**
 * Deliveries that are to be run or sent again. Replays are never among them: a second replay of the same time would
 * otherwise replay the first one, too.
 */
export interface DeliverySelection {
  readonly statuses: readonly DeliveryStatus[];
  readonly webhook?: string;
  /** Received at this time or later, in epoch milliseconds. */
  readonly since?: number;
  /** Received at this time or earlier. */
  readonly until: number;
  /** Only those after this id. */
  readonly after?: string;
}

/** The parts of a delivery that are sent again. */
export interface SelectedDelivery {
  readonly id: string;
  readonly webhook: string;
  readonly trust: Trust;
  readonly headers: Headers;
  readonly query: string;
  /** Reads its bytes, as `StoreReader.body` does. */
  readonly body: () => Uint8Array | null;
}

export interface SelectionReader {
  /** Oldest first, at most `limit`. */
  selected(selection: DeliverySelection, limit: number): readonly SelectedDelivery[];
  countSelected(selection: DeliverySelection): number;
}

/** A removable body: its delivery is settled, and nothing waits to be sent for it. */
export interface PrunableBody {
  readonly id: string;
  /** Bytes as received. */
  readonly size: number;
}

/** Whose rows: of one owner, or of all but some. Neither: of all. */
export interface OwnerSelection {
  readonly owner?: string;
  readonly exceptOwners?: readonly string[];
}

/** Which bodies may be removed. */
export interface BodyFilter extends OwnerSelection {
  /** Only of deliveries that came before this moment, epoch milliseconds; null for any age. */
  readonly before: number | null;
  /** Only of samples; default false. */
  readonly samples?: boolean;
}

/** How much of the log was removed from disk. */
export interface Swept {
  readonly segments: number;
  readonly bytes: number;
}

/** What the queue needs to order its work. */
export interface PendingDelivery {
  readonly id: string;
  readonly externalId: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
}
