import type { JsonObject } from './request.ts';
import type { TextFormat, TextSpan } from './text.ts';

/** The account that caused an event. */
export interface Sender {
  /** The provider's immutable id (a login can be renamed and taken by somebody else). */
  readonly id: string;
  /** For people to read; no decision is made on it. */
  readonly name: string;
  /** `system`: no person at all (Sentry's own events, CI, alerts); verification is enough for those. */
  readonly kind: 'person' | 'bot' | 'system';
  /** The sender's role there, in the provider's words (GitHub: `OWNER` … `NONE`). Null when the payload does not say. */
  readonly association: string | null;
  /** Id of the app that acted, or acted for the person; null when none did. */
  readonly appId: string | null;
}

/** The account that a payload names as the writer of a text. The one that acts may be another. */
export interface EventAuthor {
  /** Compared with the sender's id: of the same kind, and as immutable. */
  readonly id: string;
  /** For people to read; no decision is made on it. */
  readonly name: string;
}

export const BUTTON_ACTIONS = ['approve', 'reject', 'cancel', 'again'] as const;
/** What a button asks for. */
export type ButtonAction = (typeof BUTTON_ACTIONS)[number];

/** A click on a button of hookctl's, as the payload tells it: nothing of it is believed before it is compared with what was posted. */
export interface PressedButton {
  readonly action: ButtonAction;
  /** The post by its outgoing id, or the check by its task. */
  readonly on: { readonly post: string } | { readonly check: string };
  /** The digest of what the button decides about. */
  readonly digest: string;
  /** Epoch milliseconds; null where the sender ends buttons itself (checks). */
  readonly expiresAt: number | null;
  /** The provider's id of the post or check on which it is. */
  readonly remoteId: string;
}

/** What a delivery says, in common terms. */
export interface WebhookEvent {
  /** `issue_comment.created`, `jira:issue_updated`, `message.channels`, … */
  readonly type: string;
  /** Qualified id of what it is about (`github:owner/repo#42`); null when the event has no subject. */
  readonly externalId: string | null;
  /**
   * Ids of the subject that a rename, transfer or move does not change, qualified by provider and host
   * (`github:github.com/repository/1296269#42`), the present one first: an event that tells of a transfer names both. The flow that is
   * known under one of them goes on. All events of a subject name the same ones. Left out: none is known.
   */
  readonly stableIds?: readonly string[];
  /** External ids that the subject has besides, where this event renames, transfers or moves it. Left out: none. */
  readonly otherIds?: readonly string[];
  /** The subject was transferred or moved away from where this event happened. Left out: it is still there. */
  readonly hasMovedOn?: boolean;
  readonly sender: Sender | null;
  /** No API can cause the event, only somebody who clicks (a button, a modal). Left out: our own token could have caused it. */
  readonly isClick?: true;
  /** The sender clicked a button that hookctl put into a post of its own. Left out: it is no such click. */
  readonly button?: PressedButton;
  /** hookctl's own App did it: a comment, a label, a check of its own. It starts nothing. Left out: somebody else did, or its tokens pushed. */
  readonly isOwn?: true;
  /** What a person wrote, only on the action that wrote or moved it; null otherwise. */
  readonly text: string | null;
  /**
   * Who wrote `text`, by the payload's own naming; null when the payload names no writer, or there is no text. Providers only
   * report it: `deliveries/rules/senders.ts` decides whether the text may command.
   */
  readonly author: EventAuthor | null;
  /**
   * `edited`: the text is an edit, which commands only if the webhook's `events` names this type. `moved`: the text was written
   * earlier and came along with what was transferred or imported, so that it never commands.
   */
  readonly textOrigin: 'created' | 'edited' | 'moved';
  /**
   * Why the event itself asks the agent, without a text that calls it: `the issue was assigned to 5b10…`. The default
   * command runs, if the sender may command. Left out, or null, when only the text can ask.
   */
  readonly asks?: string | null;
  /**
   * The markup of `text`; the spans themselves where the text was made of a document that tells them (ADF, Slack's rich text). Left
   * out: `markdown`.
   */
  readonly textFormat?: TextFormat | readonly TextSpan[];
  /**
   * Id of the text, the same over its edits and over all hooks that tell it, with its host: `github.com/issue_comment/42`. Left
   * out, or null, when it has none.
   */
  readonly textId?: string | null;
  /** When the text was written, or edited; epoch milliseconds. Left out, or null, when the payload does not say. */
  readonly writtenAt?: number | null;
  /** Why `text` is null although a person wrote something, in words a user can act on. Left out, or null, without a reason. */
  readonly withoutText?: string | null;
  /**
   * A stranger can have written words of the payload (an error, feedback, a customer's note, mail), although no person is its
   * sender: a task of it waits for approval. Left out: they are facts, or a person's whom the sender rule judges.
   */
  readonly hasStrangersWords?: boolean;
  /**
   * The event is a part of what another event reports as a whole (a layer of an image that is pushed): only a pattern that is its exact
   * type fits it, `*` does not. Left out: it is no part.
   */
  readonly isPart?: boolean;
  readonly title: string | null;
  /**
   * What happened, gathered from the payload where it is spread over many fields (message and frames of an error).
   * `{{@event.details}}`; left out or null when `payload` says it plainly.
   */
  readonly details?: string | null;
  readonly url: string | null;
  readonly payload: JsonObject;
}
