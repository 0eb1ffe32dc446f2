import type { Account, CallAnswer, Post, PostButton, ReplyChannel, Sent, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call } from '../kit/comments.ts';
import { BUTTON_PREFIX } from '../kit/event.ts';
import { inert } from '../kit/inert.ts';
import { hasMarker, plainMarker } from '../kit/marker.ts';
import { idAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, postedId } from '../kit/reply.ts';
import { typeOf } from './parse.ts';

/** "valid for 15 minutes" (discord.com/developers, Receiving and Responding to Interactions). */
const LIFETIME_MS = 15 * 60_000;
/** Discord names no number; a command does not post more than this. */
const USES = 50;
/** Invalid Webhook Token, Unknown Webhook (JSON error codes). */
const GONE = ['50027', '10015'];

/**
 * Follow-ups of an interaction, by the token that it brought, which is why Discord needs no token of the operator. The
 * reply takes the place of the "thinking …" with which the command was answered: to send it twice changes nothing.
 * Source: discord.com/developers, "Followup Messages".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.discord.account,
  inert: inert.escaped,
  // "up to 2000 characters"
  textLimit: 2_000,

  place({ payload }) {
    const [application, token] = [idAt(payload, 'application_id'), idAt(payload, 'token')];
    const isDeferred = ['application_command', 'modal_submit', 'message_component'].includes(typeOf(payload));
    if (application === null || token === null || !isDeferred) return null;
    return { host: null, application, token, message: idAt(payload, 'message', 'id') };
  },

  // A button has no "thinking …" that waits to be replaced.
  immediate: ({ type }) => (type === 'message_component' ? null : { kind: 'comment' }),

  authorize: () => ({}),

  comment: (account, place, post) => call('PATCH', original(account, place), message(post)),
  // The path holds the token of the interaction, which only we have: its original response is our own. Source: discord.com/developers,
  // "Receiving and Responding to Interactions" (`@original`).
  find: (account, place) => call('GET', original(account, place)),
  readPage(_, answer, id) {
    const posted = answerJson(answer);
    return { id: hasMarker(textAt(posted, 'content') ?? '', id) ? idAt(posted, 'id') : null, next: null };
  },
  // The token of a click edits the message with the button as its original response.
  edit: (account, place, id, post) =>
    call(
      'PATCH',
      place.message === id ? original(account, place) : urlOf(account, place, 'messages', id),
      message(post),
    ),
  ephemeral: (account, place, post) => call('POST', urlOf(account, place), { ...message(post), flags: 64 }),

  respond: {
    call: (account, place, post, inChannel) =>
      call('POST', urlOf(account, place), { ...message(post), ...(!inChannel && { flags: 64 }) }),
    lifetimeMs: LIFETIME_MS,
    uses: USES,
  },

  classify: expired,
  postedId,
  isPost: (_, remoteId, pressed) => remoteId === pressed,
};

function urlOf(
  { baseUrl }: Account,
  { application, token }: ThreadRef,
  ...segments: readonly string[]
): string {
  return baseUrl + apiPath('webhooks', application, token, ...segments);
}

/** The answer to the interaction itself. */
function original(account: Account, place: ThreadRef): string {
  return `${urlOf(account, place)}/messages/@original`;
}

/** Small print carries the mark; a mention in the text notifies no one. */
function message({ id, text, buttons }: Post): object {
  return {
    content: `${text}\n-# ${plainMarker(id)}`,
    allowed_mentions: { parse: [] },
    ...(buttons !== undefined && { components: rowOf(buttons) }),
  };
}

/** Styles of buttons; 2 is grey. */
const STYLES: Readonly<Partial<Record<PostButton['action'], number>>> = { approve: 3, reject: 4, cancel: 4 };

/** A row of buttons (discord.com/developers, "Component Reference"); an edit without one removes those that are there. */
function rowOf(buttons: readonly PostButton[]): readonly object[] {
  if (buttons.length === 0) return [];
  const components = buttons.map(({ action, label, value }) => ({
    ...{ type: 2, style: STYLES[action] ?? 2, label },
    custom_id: `${BUTTON_PREFIX}${action}=${value}`,
  }));
  return [{ type: 1, components }];
}

function expired(answer: CallAnswer): Sent | null {
  const code = idAt(answerJson(answer), 'code') ?? '';
  return answer.status >= 400 && answer.status < 500 && GONE.includes(code)
    ? { result: 'refused', reason: 'an interaction can be answered for 15 minutes, which are over' }
    : null;
}
