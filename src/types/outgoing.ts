const OUTGOING_KINDS = ['comment', 'respond', 'ephemeral', 'react', 'label', 'forward'] as const;
/**
 * What leaves. `comment`: a post where the event came from, found again by its marker. `respond`: through the reply
 * channel that the request brought (Slack's `response_url`). `ephemeral`: a note that only the sender sees. `forward`:
 * the kept bytes to a configured URL.
 */
export type OutgoingKind = (typeof OUTGOING_KINDS)[number];

export const OUTGOING_STATUSES = ['waiting', 'sent', 'failed', 'dropped'] as const;
/** `waiting → sent | failed | dropped`; a failed or dropped one can be made to wait again. */
export type OutgoingStatus = (typeof OUTGOING_STATUSES)[number];

declare const POST_TEXT: unique symbol;
/**
 * The text of a post in which words of hookctl and of its configuration can be told from everybody else's: only those
 * may act where they are posted. Made by `lib/post-text.ts` alone, so that no text from outside passes for an own one.
 */
export type PostText = string & { readonly [POST_TEXT]: true };

/** Where a reply goes, in the provider's own terms; kept as JSON. Made from ids in the payload, never from its URLs. */
export interface ThreadRef {
  /** Host on which the event happened (`github.com`); null when the payload does not say. */
  readonly host: string | null;
  readonly [field: string]: string | null;
}

/** What an action asks to be sent. It is recorded with the delivery's outcome and sent afterwards. */
export interface NewOutgoing {
  readonly id: string;
  readonly kind: OutgoingKind;
  /** Empty for `forward`. */
  readonly place: ThreadRef;
  /** Text of a comment, emoji, label, or URL of a forward. */
  readonly content: string;
  /** The earlier comment whose text this one replaces, by its outgoing id; null: a post of its own. */
  readonly edits: string | null;
  /** A forward's URL may lead into a private network. */
  readonly privateNetwork: boolean;
}

/** One thing that leaves, or has left. Times are epoch milliseconds. */
export interface Outgoing extends NewOutgoing {
  readonly provider: string;
  readonly deliveryId: string;
  readonly status: OutgoingStatus;
  /** Why it failed or waits, in words; null when nothing went wrong. */
  readonly reason: string | null;
  /** Requests that were begun. */
  readonly attempts: number;
  /** A request went out and it is not known what became of it. */
  readonly uncertain: boolean;
  readonly nextAttemptAt: number;
  /** The provider's id of the post, once it stands. */
  readonly remoteId: string | null;
  readonly createdAt: number;
  readonly settledAt: number | null;
}
