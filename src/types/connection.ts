/**
 * A hook at a sender that hookctl made or took over, and keeps pointed to this machine. Times are epoch milliseconds.
 * `connect/operations.ts` makes and changes them.
 */
export interface Connection {
  /** `con-…`. */
  readonly id: string;
  /** Name of the connector that speaks with the sender (`github`); see `connect/connectors/index.ts`. */
  readonly connector: string;
  readonly webhook: string;
  /** Of a dynamic webhook, whose name can change; null for one that is written in code. */
  readonly webhookId: string | null;
  /** What the target is, in the connector's words: `repository`, `organisation`, `app`. */
  readonly kind: string;
  /** Whose events are sent: `acme/api`, `acme`. */
  readonly target: string;
  /** Address of the API at which the hook was made. */
  readonly apiUrl: string;
  /** The sender's id of the hook. Null while it is being made: the sender may have it or not. */
  readonly remoteId: string | null;
  /** To where the sender sends, with the marker of this installation, as it was last set. */
  readonly url: string;
  /** In the sender's words, as last set. */
  readonly events: readonly string[];
  /** Tells whether the webhook's secret is still the one that the hook was given; see `fingerprintOf`. */
  readonly fingerprint: string | null;
  /** The hook existed before; `connect remove` leaves it where it is. */
  readonly isAdopted: boolean;
  /** hookctl paused it when it stopped. */
  readonly isPaused: boolean;
  /** Why no events arrive, or not those that should, in words; null when the last look found nothing. */
  readonly problem: string | null;
  readonly createdAt: number;
  /** When `url` was last set at the sender; null while it is being made. */
  readonly pointedAt: number | null;
  /** When the hook was last looked at. */
  readonly checkedAt: number | null;
}
