import type { Account, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call, commentsApi, whoamiAt } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, objectAt, textAt } from '../kit/payload.ts';
import { apiPath, type Segments } from '../kit/reply.ts';
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
    const number = idAt(subjectOf(payload), 'number');
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

  ...commentsApi({
    url: (account, place) => urlOf(account, place, place.number, 'comments'),
    listUrl: (account, place, since) =>
      `${urlOf(account, place, place.number, 'comments')}?since=${new Date(since - SKEW_MS).toISOString()}`,
    edit: { method: 'PATCH', url: (account, place, remoteId) => urlOf(account, place, 'comments', remoteId) },
    authorOf: (comment) => idAt(comment, 'user', 'id'),
    whoami: whoamiAt('/api/v1/user'),
  }),

  react(account, place, emoji) {
    const target = place.comment == null ? [place.number] : ['comments', place.comment];
    return call('POST', urlOf(account, place, ...target, 'reactions'), { content: emoji });
  },
};

function urlOf({ baseUrl }: Account, { owner, repo }: ThreadRef, ...segments: Segments): string {
  return `${baseUrl}/api/v1${apiPath('repos', owner, repo, 'issues', ...segments)}`;
}
