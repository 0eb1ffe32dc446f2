import type { Account, OutgoingCall, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, objectAt, textAt } from '../kit/payload.ts';
import { answerJson, answerList, apiPath, findPost, hiddenlyMarked, postedId } from '../kit/reply.ts';
import { subjectOf } from './subject.ts';

/** Clocks differ; a comment is looked for from a little before it was asked for. */
const SKEW_MS = 300_000;

/**
 * Comments on issues and pull requests, which share one API. Source: go-gitea `routers/api/v1/repo/issue_comment.go`
 * and `issue_reaction.go`; Forgejo has kept them.
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.gitea.account,
  inert: inert.gitea,
  textLimit: 65_536,

  subjectFields: ['owner', 'repo', 'number'],
  place({ payload }) {
    const [owner = null, repo = null] = (textAt(payload, 'repository', 'full_name') ?? '').split('/');
    const number = idAt(subjectOf(payload) ?? undefined, 'number');
    const host = hostOf(textAt(payload, 'repository', 'html_url'));
    if (owner === null || repo === null || number === null) return null;
    return { host, owner, repo, number, comment: idAt(payload, 'comment', 'id') };
  },

  immediate: ({ type, payload }) =>
    type.endsWith('.opened')
      ? { kind: 'comment' }
      : objectAt(payload, 'comment') === null
        ? null
        : { kind: 'react', emoji: 'eyes' },

  authorize: ({ token }) => ({ authorization: `token ${token.reveal()}`, accept: 'application/json' }),

  comment: (account, place, post) =>
    call('POST', account, place, [place.number, 'comments'], { body: hiddenlyMarked(post) }),
  edit: (account, place, remoteId, post) =>
    call('PATCH', account, place, ['comments', remoteId], { body: hiddenlyMarked(post) }),

  find(account, place, since) {
    const { url } = call('GET', account, place, [place.number, 'comments'], null);
    return { method: 'GET', url: `${url}?since=${new Date(since - SKEW_MS).toISOString()}`, body: null };
  },

  whoami: {
    call: (account) => ({ method: 'GET', url: `${account.baseUrl}/api/v1/user`, body: null }),
    read: (answer) => idAt(answerJson(answer), 'id'),
  },

  readPage(_, answer, id, author) {
    const found = findPost(answerList(answer), {
      id,
      author,
      textOf: (comment) => textAt(comment, 'body'),
      authorOf: (comment) => idAt(comment, 'user', 'id'),
    });
    return { id: found, next: null };
  },

  react(account, place, emoji) {
    const target = place.comment == null ? [place.number] : ['comments', place.comment];
    return call('POST', account, place, [...target, 'reactions'], { content: emoji });
  },

  postedId,
};

function call(
  method: OutgoingCall['method'],
  { baseUrl }: Account,
  { owner, repo }: ThreadRef,
  segments: readonly (string | null | undefined)[],
  body: object | null,
): OutgoingCall {
  return { method, url: `${baseUrl}/api/v1${apiPath('repos', owner, repo, 'issues', ...segments)}`, body };
}
