import type { Account, CallAnswer, ReplyChannel, Sent, ThreadRef } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, textAt } from '../kit/payload.ts';
import { apiPath, hiddenlyMarked } from '../kit/reply.ts';
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

  // Found by the mark alone: tokens of an organisation name no user.
  ...commentsApi({
    url: urlOf,
    edit: { method: 'PUT', url: urlOf },
    content: (post) => ({ text: hiddenlyMarked(post) }),
    textOf: (note) => textAt(note, 'data', 'text'),
    next: ({ headers }) =>
      /<([^>]+)>;[^,]*rel="next";[^,]*results="true"/.exec(headers.link ?? '')?.[1] ?? null,
  }),

  classify: alreadyPosted,
};

function urlOf({ baseUrl }: Account, { issue }: ThreadRef, ...comment: readonly string[]): string {
  return `${baseUrl}/api/0/issues${apiPath(issue, 'comments', ...comment)}/`;
}

/** The same text within an hour is refused: an earlier try has succeeded. */
function alreadyPosted({ status, text }: CallAnswer): Sent | null {
  return status === 400 && text.includes('already posted that comment') ? { result: 'done', id: null } : null;
}
