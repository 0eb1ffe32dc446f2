import { failure } from '../errors.ts';
import type { IdSource } from '../lib/ids.ts';
import type { JsonObject, NewOutgoing, PostText, ThreadRef } from '../types.ts';
import type { ActionContext, Replies } from './action.ts';

/** The content of a reply: text, emoji or label. */
type ReplyParts =
  | { readonly kind: 'react' | 'label'; readonly content: string }
  | { readonly kind: 'comment' | 'respond' | 'ephemeral'; readonly content: PostText };

/** A reply in the thread of the event. */
export function replyTo(ids: IdSource, place: ThreadRef, { kind, content }: ReplyParts): NewOutgoing {
  return { id: ids.next('out'), kind, place, content, edits: null, privateNetwork: false };
}

/**
 * Replies of an action that was asked to reply: none for a silent replay. Throws `replies_off` where there is no account
 * to post as, and where the event cannot be answered.
 */
export function mustReply(
  { ids, replies }: Pick<ActionContext, 'ids' | 'replies'>,
  parts: ReplyParts,
): readonly NewOutgoing[] {
  switch (replies.state) {
    case 'on':
      return [replyTo(ids, replies.place, parts)];
    case 'silent':
      return [];
    case 'off':
      throw failure('replies_off', `it can't be answered: ${replies.reason}`);
    default:
      return replies satisfies never;
  }
}

/** Where a task's progress goes, for its metadata; empty when the event cannot be answered. */
export function replyNote(replies: Replies): JsonObject {
  if (replies.state !== 'on') return {};
  const { edit, isPost } = replies.channel;
  return {
    reply: {
      place: replies.place,
      edits: edit !== undefined,
      ...(isPost !== undefined && { buttons: true }),
    },
  };
}

/** Says that a replay or a sample left out what it would have posted. */
export function silence({ state }: Replies): string | null {
  return state === 'silent' ? 'a replay or a sample posts nothing; add --replies to post' : null;
}

/** Throws when the provider has no reactions or labels, so that the delivery's record says so. */
export function checkSupported(replies: Replies, what: 'react' | 'label', provider: string): void {
  if (replies.state === 'on' && replies.channel[what] === undefined) {
    throw failure(
      'not_supported',
      `${provider} has no ${what === 'react' ? 'reactions' : 'labels'} that hookctl could set`,
    );
  }
}

/** Agents read a task's address outside of fences, so that it is one, with its blanks escaped. */
export function webAddress(url: string | null): string | null {
  return url !== null && /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url).href : null;
}
