import type { Account, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, basicOrBearer } from '../kit/reply.ts';
import { fullName, repositoryOf, subjectOf } from './subject.ts';

/**
 * Comments on pull requests and issues of Bitbucket Cloud. Server and Data Center have another API, which is not
 * spoken. Source: developer.atlassian.com, "The Bitbucket Cloud REST API", pull requests, issue tracker.
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.bitbucket.account,
  inert: inert.bitbucket,
  textLimit: 30_000,

  subjectFields: ['workspace', 'repo', 'number'],
  place({ payload }) {
    const [workspace = null, repo = null] = (fullName(repositoryOf(payload)) ?? '').split('/');
    const subject = subjectOf(payload);
    const isCloud = textAt(repositoryOf(payload), 'full_name') !== null;
    if (!isCloud || workspace === null || repo === null || subject === null) return null;
    return { host: 'bitbucket.org', workspace, repo, kind: subject.kind, number: subject.number };
  },

  immediate: ({ type }) => (/^(?:pullrequest|issue):created$/.test(type) ? { kind: 'comment' } : null),

  /** An API token belongs to an e-mail address; an access token of a repository or workspace is sent alone. */
  authorize: (account) => ({ accept: 'application/json', authorization: basicOrBearer(account) }),

  ...commentsApi({
    url: urlOf,
    listUrl: (account, place) => `${urlOf(account, place)}?sort=-created_on&pagelen=100`,
    edit: { method: 'PUT', url: urlOf },
    // Bitbucket shows HTML comments; a link definition that nothing refers to is not shown.
    content: ({ id, text }) => ({ content: { raw: `${text}\n\n[//]: # (${plainMarker(id)})` } }),
    list: (answer) => objectsAt(answerJson(answer), 'values'),
    textOf: (comment) => textAt(comment, 'content', 'raw'),
    authorOf: (comment) => idAt(comment, 'user', 'uuid'),
    whoami: {
      url: ({ baseUrl }) => `${baseUrl}/2.0/user`,
      read: (answer) => idAt(answerJson(answer), 'uuid'),
    },
    next: (answer) => textAt(answerJson(answer), 'next'),
  }),
};

function urlOf(
  { baseUrl }: Account,
  { workspace, repo, kind, number }: ThreadRef,
  ...comment: readonly string[]
): string {
  return baseUrl + apiPath('2.0', 'repositories', workspace, repo, kind, number, 'comments', ...comment);
}
