import type { Account, OutgoingCall, Post, ReplyChannel, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, basicOrBearer, findPost, postedId } from '../kit/reply.ts';
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
    const isCloud = textAt(repositoryOf(payload) ?? undefined, 'full_name') !== null;
    if (!isCloud || workspace === null || repo === null || subject === null) return null;
    return { host: 'bitbucket.org', workspace, repo, kind: subject.kind, number: subject.number };
  },

  immediate: ({ type }) => (/^(?:pullrequest|issue):created$/.test(type) ? { kind: 'comment' } : null),

  /** An API token belongs to an e-mail address; an access token of a repository or workspace is sent alone. */
  authorize: (account) => ({ accept: 'application/json', authorization: basicOrBearer(account) }),

  comment: (account, place, post) => call('POST', account, place, [], content(post)),
  edit: (account, place, remoteId, post) => call('PUT', account, place, [remoteId], content(post)),

  find(account, place) {
    const { url } = call('GET', account, place, [], null);
    return { method: 'GET', url: `${url}?sort=-created_on&pagelen=100`, body: null };
  },

  whoami: {
    call: (account) => ({ method: 'GET', url: `${account.baseUrl}/2.0/user`, body: null }),
    read: (answer) => idAt(answerJson(answer), 'uuid'),
  },

  readPage(_, answer, id, author) {
    const page = answerJson(answer);
    const found = findPost(objectsAt(page, 'values'), {
      id,
      author,
      textOf: (comment) => textAt(comment, 'content', 'raw'),
      authorOf: (comment) => idAt(comment, 'user', 'uuid'),
    });
    return { id: found, next: textAt(page, 'next') };
  },

  postedId,
};

function call(
  method: OutgoingCall['method'],
  { baseUrl }: Account,
  { workspace, repo, kind, number }: ThreadRef,
  segments: readonly string[],
  body: object | null,
): OutgoingCall {
  const path = apiPath('2.0', 'repositories', workspace, repo, kind, number, 'comments', ...segments);
  return { method, url: baseUrl + path, body };
}

/** Bitbucket shows HTML comments; a link definition that nothing refers to is not shown. */
function content({ id, text }: Post): object {
  return { content: { raw: `${text}\n\n[//]: # (${plainMarker(id)})` } };
}
