import { failure } from '../../errors.ts';
import type { Account, CallAnswer, ReplyChannel, Sent, ThreadRef, WebhookEvent } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { call, commentsApi } from '../kit/comments.ts';
import { inert } from '../kit/inert.ts';
import { hostOf, idAt, objectAt, textAt } from '../kit/payload.ts';
import { answerJson, apiPath, type Segments } from '../kit/reply.ts';

/** All that GitHub knows (REST, "Reactions"), and the names under which others know them. */
const REACTIONS: Readonly<Record<string, string>> = {
  '+1': '+1',
  thumbsup: '+1',
  '-1': '-1',
  thumbsdown: '-1',
  laugh: 'laugh',
  confused: 'confused',
  heart: 'heart',
  hooray: 'hooray',
  tada: 'hooray',
  rocket: 'rocket',
  eyes: 'eyes',
};

const SUBJECTS = ['issue', 'pull_request'] as const;
/** Clocks differ; a comment is looked for from a little before it was asked for. */
const SKEW_MS = 300_000;
/** "wait for at least one minute before retrying" (docs.github.com, Rate limits for the REST API). */
const SECONDARY_LIMIT_MS = 60_000;

/**
 * Replies on issues and pull requests, which share one API, and in the threads of a review, which have their own.
 * Source: docs.github.com, REST API, "Issue comments" and "Pull request review comments".
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.github.account,
  inert: inert.github,
  textLimit: 65_536,

  subjectFields: ['owner', 'repo', 'number'],
  place(event) {
    const [owner = null, repo = null] = (textAt(event.payload, 'repository', 'full_name') ?? '').split('/');
    const number = SUBJECTS.map((key) => idAt(event.payload, key, 'number')).find((found) => found !== null);
    if (owner === null || repo === null || number === undefined) return null;
    return {
      host: hostOf(textAt(event.payload, 'repository', 'html_url')),
      owner,
      repo,
      number,
      ...commentOf(event),
    };
  },

  immediate: (event) =>
    event.type.endsWith('.opened')
      ? { kind: 'comment' }
      : objectAt(event.payload, 'comment') === null
        ? null
        : { kind: 'react', emoji: 'eyes' },

  authorize: ({ token }) => ({
    authorization: `Bearer ${token.reveal()}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  }),

  ...commentsApi({
    url: (account, place) => urlOf(account, [...comments(place), ...answered(place)]),
    listUrl(account, place, since) {
      const from = new Date(since - SKEW_MS).toISOString();
      return `${urlOf(account, comments(place))}?per_page=100&since=${from}`;
    },
    edit: {
      method: 'PATCH',
      url(account, place, remoteId) {
        const kind = isInReview(place) ? 'pulls' : 'issues';
        return urlOf(account, [...repository(place), kind, 'comments', remoteId]);
      },
    },
    authorOf: (comment) => idAt(comment, 'user', 'id'),
    whoami: {
      // Tokens of an App may not ask `/user`; its bot's login is known.
      url: ({ baseUrl, user }) => baseUrl + (user === null ? '/user' : apiPath('users', user)),
      read: (answer) => idAt(answerJson(answer), 'id'),
    },
    next: ({ headers }) => /<([^>]+)>;\s*rel="next"/.exec(headers.link ?? '')?.[1] ?? null,
  }),

  react(account, place, emoji) {
    const content = REACTIONS[emoji];
    if (content === undefined) {
      const known = Object.keys(REACTIONS).join(', ');
      throw failure('no_such_reaction', `GitHub has no reaction ${emoji}; it knows ${known}`);
    }
    const target =
      place.comment === null || place.comment === undefined
        ? issue(place)
        : [...repository(place), place.commentKind ?? 'issues', 'comments', place.comment];
    return call('POST', urlOf(account, [...target, 'reactions']), { content });
  },

  label: (account, place, label) =>
    call('POST', urlOf(account, [...issue(place), 'labels']), { labels: [label] }),

  classify: rateLimit,
};

function urlOf({ baseUrl }: Account, segments: Segments): string {
  return baseUrl + apiPath(...segments);
}

function repository({ owner, repo }: ThreadRef) {
  return ['repos', owner, repo];
}

function issue(place: ThreadRef) {
  return [...repository(place), 'issues', place.number];
}

/** The posts among which ours will be. */
function comments(place: ThreadRef) {
  const subject = isInReview(place) ? [...repository(place), 'pulls', place.number] : issue(place);
  return [...subject, 'comments'];
}

function answered(place: ThreadRef) {
  return isInReview(place) ? [place.thread, 'replies'] : [];
}

function isInReview({ thread }: ThreadRef): boolean {
  return thread !== null && thread !== undefined;
}

/** The comment on which to react, and the first one of its review thread: "replies to replies are not supported". */
function commentOf({ type, payload }: WebhookEvent) {
  const comment = idAt(payload, 'comment', 'id');
  if (comment === null) return { comment: null, commentKind: null };
  if (!type.startsWith('pull_request_review_comment')) return { comment, commentKind: 'issues' };
  return { comment, commentKind: 'pulls', thread: idAt(payload, 'comment', 'in_reply_to_id') ?? comment };
}

/** A 403 is also GitHub's word for "too many requests". */
export function rateLimit({ status, headers, text }: CallAnswer): Sent | null {
  if (status !== 403 && status !== 429) return null;
  const again = (afterMs: number | null): Sent => ({
    result: 'again',
    reason: `GitHub's rate limit (${status})`,
    afterMs,
    certain: true,
  });
  if (headers['retry-after'] !== undefined) return status === 429 ? null : again(null);
  if (headers['x-ratelimit-remaining'] === '0') {
    const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000;
    const now = Date.parse(headers.date ?? '');
    return again(Number.isFinite(reset - now) ? Math.max(0, reset - now) : SECONDARY_LIMIT_MS);
  }
  return status === 429 || /secondary rate limit|abuse detection/i.test(text)
    ? again(SECONDARY_LIMIT_MS)
    : null;
}
