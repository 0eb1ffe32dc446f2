import type { CallAnswer, ReplyChannel, Sent } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, textAt } from '../kit/payload.ts';
import { answerList, apiPath, findPost, hiddenlyMarked, postedId } from '../kit/reply.ts';
import { webUrlOf } from './issue.ts';

const ISSUE_IDS = [['issue', 'id'], ['event', 'issue_id'], ['error', 'issue_id'], ['issue_id']] as const;

/**
 * Comments on issues. The endpoint is not documented; the way without an organisation is deprecated and the only one
 * that a webhook's ids are enough for. Source: getsentry/sentry, `issues/endpoints/group_notes.py`.
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.sentry.account,
  inert: inert.markdown,
  // Sentry states none.
  textLimit: 20_000,

  place({ payload }) {
    const issue = ISSUE_IDS.map((path) => idAt(payload, 'data', ...path)).find((id) => id !== null);
    return issue === undefined ? null : { host: hostOf(webUrlOf(payload)), issue };
  },

  immediate: () => ({ kind: 'comment' }),
  authorize: ({ token }) => ({ authorization: `Bearer ${token.reveal()}` }),

  comment: ({ baseUrl }, place, post) => ({
    method: 'POST',
    url: `${baseUrl}/api/0/issues${apiPath(place.issue, 'comments')}/`,
    body: { text: hiddenlyMarked(post) },
  }),

  edit: ({ baseUrl }, place, remoteId, post) => ({
    method: 'PUT',
    url: `${baseUrl}/api/0/issues${apiPath(place.issue, 'comments', remoteId)}/`,
    body: { text: hiddenlyMarked(post) },
  }),

  // By the mark alone: tokens of an organisation name no user.
  find: ({ baseUrl }, place) => ({
    method: 'GET',
    url: `${baseUrl}/api/0/issues${apiPath(place.issue, 'comments')}/`,
    body: null,
  }),

  readPage(_, answer, id) {
    const found = findPost(answerList(answer), {
      id,
      author: null,
      textOf: (note) => textAt(note, 'data', 'text'),
    });
    const next = /<([^>]+)>;[^,]*rel="next";[^,]*results="true"/.exec(answer.headers.link ?? '')?.[1] ?? null;
    return { id: found, next };
  },

  classify: alreadyPosted,
  postedId,
};

/** The same text within an hour is refused: an earlier try has succeeded. */
function alreadyPosted({ status, text }: CallAnswer): Sent | null {
  return status === 400 && text.includes('already posted that comment') ? { result: 'done', id: null } : null;
}
