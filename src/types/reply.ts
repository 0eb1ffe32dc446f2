import type { ButtonAction, WebhookEvent } from './event.ts';
import type { Headers, JsonObject, Secret } from './request.ts';
import type { TaskStatus } from './task.ts';

/** The account as which hookctl posts. Made from `credentials` in webhooks.yml and the provider's usual variables. */
export interface Account {
  readonly provider: string;
  /** Address of the API without a trailing slash. The token goes nowhere else. */
  readonly baseUrl: string;
  readonly token: Secret;
  /** Name that belongs to the token, where the provider wants one (Jira Cloud: the e-mail address). */
  readonly user: string | null;
  /** The operator says that the address may lead into a private network. */
  readonly privateNetwork: boolean;
  /** Called when the provider refuses the token, where hookctl can make another one. Left out: another try would not help. */
  refused?(): void;
}

/** Where the account of a provider is found when webhooks.yml says nothing: names of variables. */
export interface AccountDefaults {
  /** Null when requests bring along what answers them (Discord), so that no token is needed. */
  readonly tokenEnv: string | null;
  readonly userEnv: string | null;
  readonly baseUrlEnv: string | null;
  /** The provider's cloud; null when every site has an address of its own. */
  readonly baseUrl: string | null;
  /** The token is the https URL to post to, secret as a whole (`urlEnv` in webhooks.yml), and its origin is the base URL. */
  readonly isUrl?: true;
}

/** An HTTP request, described. The outbox adds the token when it sends it, and only below the account's address. */
export interface OutgoingCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Sent as JSON, or as a form where it is one. Null when there is no body. */
  readonly body: object | URLSearchParams | null;
}

/** What came back, read to its end. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * What an answer means. `done`: it is posted (`id`: by which it can be edited). `again`: try later, `afterMs` at the
 * earliest (null when the backoff decides); `certain`: surely not posted. `refused`: trying again would not help.
 */
export type Sent =
  | { readonly result: 'done'; readonly id: string | null }
  | {
      readonly result: 'again';
      readonly reason: string;
      readonly afterMs: number | null;
      readonly certain: boolean;
    }
  | { readonly result: 'refused'; readonly reason: string };

/** A button of a post. */
export interface PostButton {
  readonly action: ButtonAction;
  readonly label: string;
  /** Comes back with the click: outgoing id, digest of what it decides about, and when it ends. */
  readonly value: string;
}

/** A post by its marker. */
export interface Post {
  /** Outgoing id: what the marker says. */
  readonly id: string;
  /** Markdown, as long as it may be. */
  readonly text: string;
  /** Only where the channel has buttons; left out, or empty: none. */
  readonly buttons?: readonly PostButton[];
}

/** What one page of a thread says about a post. */
export interface Lookup {
  /** The post's id; null when this page does not hold it. */
  readonly id: string | null;
  /** A further page may hold it: its URL. */
  readonly next: string | null;
}

/** The first answer to an event, before any work is done. */
type Immediate =
  | { readonly kind: 'react'; readonly emoji: string }
  | { readonly kind: 'comment' | 'ephemeral' };

/**
 * How a provider is answered: descriptions of calls and the reading of their answers, never the sending. Every call
 * is built from ids in a place, below the account's address. The functions throw `HookctlError` for what the provider
 * cannot express (an emoji that it does not have).
 */
export interface ReplyChannel {
  readonly account: AccountDefaults;
  /**
   * Makes the text of a post inert where it is read: words of payloads and agents act nowhere. Left out: mentions, slash
   * commands and hidden comments of Markdown.
   */
  inert?(marked: string): string;
  /** Longest text of a post in characters, the marker included. */
  readonly textLimit: number;
  /** Where a reply to this event goes; null when it cannot be answered. */
  place(event: WebhookEvent): ThreadRef | null;
  /**
   * Fields of a place that name the subject of the event: after a rename, transfer or move they are others, and the posts of earlier
   * tasks follow. Left out: a subject keeps its place.
   */
  readonly subjectFields?: readonly string[];
  /** Tells the sender at once that hookctl works on it. Null when nothing is posted (Sentry). */
  immediate(event: WebhookEvent, webhook: { readonly options: JsonObject }): Immediate | null;
  /** Headers that carry the token. */
  authorize(account: Account): Headers;
  comment(account: Account, place: ThreadRef, post: Post): OutgoingCall;
  /** Replaces the text of a comment. Left out: comments can't be edited. */
  edit?(account: Account, place: ThreadRef, remoteId: string, post: Post): OutgoingCall;
  /** The first page of the thread that would hold a comment posted since then. `since` is epoch ms. */
  find?(account: Account, place: ThreadRef, since: number): OutgoingCall;
  /** `author`: the account's author name, where `whoami` told it; then posts of other authors do not count. */
  readPage?(account: Account, answer: CallAnswer, id: string, author: string | null): Lookup;
  /** Asks for the account's name as posts show it. Left out: the API does not tell, or the page itself does. */
  readonly whoami?: {
    call(account: Account): OutgoingCall;
    read(answer: CallAnswer): string | null;
  };
  react?(account: Account, place: ThreadRef, emoji: string): OutgoingCall;
  label?(account: Account, place: ThreadRef, label: string): OutgoingCall;
  /** A note that only the sender sees. */
  ephemeral?(account: Account, place: ThreadRef, post: Post): OutgoingCall;
  /** The reply channel that the request brought, and how long (ms) and often it may be used; its call is null without one. */
  readonly respond?: {
    call(account: Account, place: ThreadRef, post: Post, inChannel: boolean): OutgoingCall | null;
    readonly lifetimeMs: number;
    readonly uses: number;
  };
  /**
   * Posts can have buttons. Tells whether a click was on this post: `remoteId` as `postedId` told it, `pressed` as the click does. Left
   * out: they can't.
   */
  isPost?(place: ThreadRef, remoteId: string, pressed: string): boolean;
  /** Reads an answer in which the status does not say all. Null when the status says all. */
  classify?(answer: CallAnswer): Sent | null;
  /** The id of what a call made; null when the answer does not tell. */
  postedId(answer: CallAnswer): string | null;
}

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
  /** The earlier comment whose text this one replaces, by its outgoing id. Null for a new post. */
  readonly edits: string | null;
  /** A forward's URL may lead into a private network. */
  readonly privateNetwork: boolean;
  /** The task whose buttons it shows where the provider has some. Left out, or null when it shows none. */
  readonly buttonsOf?: string | null;
  /** The status of that task for which it was made. */
  readonly buttonsAt?: TaskStatus | null;
}

/** One thing that leaves, or has left. Times are epoch milliseconds. */
export interface Outgoing extends NewOutgoing {
  readonly provider: string;
  readonly owner: string;
  /** The delivery that it answers. Null for a notification. */
  readonly deliveryId: string | null;
  readonly status: OutgoingStatus;
  /** Why it failed or waits, in words; null when nothing went wrong. */
  readonly reason: string | null;
  /** Requests that were started. */
  readonly attempts: number;
  /** A request went out and it is not known what became of it. */
  readonly uncertain: boolean;
  readonly nextAttemptAt: number;
  /** The provider's id of the post, once it is posted. */
  readonly remoteId: string | null;
  readonly createdAt: number;
  readonly settledAt: number | null;
}
