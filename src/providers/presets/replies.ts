import type { Account, Post, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call, commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath } from '../kit/reply.ts';

/** Texts are shown as they are, so that the mark is a last line. */
const marked = ({ id, text }: Post) => `${text}\n\n(${plainMarker(id)})`;

/**
 * Messages to the chat, as an answer to the message that asked. The Bot API shows no history, so that a post is not looked for. Source:
 * core.telegram.org/bots/api, sendMessage.
 */
export const telegramReply: ReplyChannel = {
  account: PROVIDERS.telegram.account,
  inert: inert.markdown,
  textLimit: 4_000,
  place({ payload }) {
    const chat = idAt(payload, 'message', 'chat', 'id');
    const message = idAt(payload, 'message', 'message_id');
    return chat === null ? null : { host: null, chat, message };
  },
  immediate: () => null,
  // The token is a part of the URL.
  authorize: () => ({}),
  comment: (account, { chat, message }, post) =>
    call('POST', methodUrl(account, 'sendMessage'), {
      chat_id: chat,
      text: marked(post),
      ...(message != null && {
        reply_parameters: { message_id: Number(message), allow_sending_without_reply: true },
      }),
    }),
  edit: (account, { chat }, remoteId, post) =>
    call('POST', methodUrl(account, 'editMessageText'), {
      chat_id: chat,
      message_id: Number(remoteId),
      text: marked(post),
    }),
  postedId: (answer) => idAt(answerJson(answer), 'result', 'message_id'),
};

function methodUrl({ baseUrl, token }: Account, method: string): string {
  return baseUrl + apiPath(`bot${token.reveal()}`, method).replace('%3A', ':');
}

/**
 * Internal notes on the ticket: customers see none. A note cannot be edited. Source: developer.zendesk.com, Ticketing API, "Ticket
 * comments".
 */
export const zendeskReply: ReplyChannel = {
  account: PROVIDERS.zendesk.account,
  inert: inert.markdown,
  textLimit: 30_000,
  place({ payload }) {
    const ticket = idAt(payload, 'detail', 'id');
    return ticket === null ? null : { host: null, ticket };
  },
  immediate: () => null,
  authorize: ({ user, token }) => ({
    authorization: `Basic ${Buffer.from(`${user ?? ''}/token:${token.reveal()}`).toString('base64')}`,
  }),
  ...commentsApi({
    url: (account, place) => ticketUrl(account, place, '.json'),
    listUrl: (account, place) => ticketUrl(account, place, '/comments.json?sort_order=desc'),
    list: (answer) => objectsAt(answerJson(answer), 'comments'),
    textOf: (comment) => textAt(comment, 'body'),
  }),
  comment: (account, place, post) =>
    call('PUT', ticketUrl(account, place, '.json'), {
      ticket: { comment: { body: marked(post), public: false } },
    }),
  postedId: (answer) =>
    idAt(
      objectsAt(answerJson(answer), 'audit', 'events').find((event) => textAt(event, 'type') === 'Comment'),
      'id',
    ),
};

function ticketUrl({ baseUrl }: Account, { ticket }: ThreadRef, end: string): string {
  return baseUrl + apiPath('api', 'v2', 'tickets', ticket) + end;
}
