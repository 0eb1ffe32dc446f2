import { getPath, isJsonObject } from '../../lib/json.ts';
import type { Account, CallAnswer, OutgoingCall, Post, ReplyChannel, Sent } from '../../types.ts';
import { PROVIDERS } from '../facts.ts';
import { inert } from '../kit/inert.ts';
import { plainMarker } from '../kit/marker.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import { answerJson, findPost } from '../kit/reply.ts';
import { issueIdOf } from './subject.ts';

const CREATE =
  'mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }';
const UPDATE =
  'mutation($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success comment { id } } }';
const REACT = 'mutation($input: ReactionCreateInput!) { reactionCreate(input: $input) { success } }';
const FIND =
  'query($id: String!, $mark: String!) { viewer { id } issue(id: $id) { comments(filter: { body: { contains: $mark } }) { nodes { id body user { id } } } } }';

/**
 * Comments on issues, in the thread of the command. Everything is one GraphQL address, which answers 200
 * also when it refuses. Linear shows every text, so that the mark is a last line. Source: linear.app/developers,
 * "Working with the GraphQL API"; the schema of @linear/sdk.
 */
export const reply: ReplyChannel = {
  account: PROVIDERS.linear.account,
  inert: inert.linear,
  // Not documented; no one reads longer ones.
  textLimit: 30_000,

  place({ payload }) {
    const issue = issueIdOf(payload);
    if (issue === null) return null;
    const comment =
      textAt(payload, 'type') === 'Comment'
        ? objectAt(payload, 'data')
        : objectAt(payload, 'agentSession', 'comment');
    const id = idAt(comment, 'id');
    // A thread has one level: what answers an answer hangs on the first comment.
    return { host: 'linear.app', issue, comment: id, thread: idAt(comment, 'parentId') ?? id };
  },

  immediate: ({ type }) =>
    type === 'Comment.create'
      ? { kind: 'react', emoji: 'eyes' }
      : type === 'Issue.create' || type.startsWith('AgentSessionEvent.')
        ? { kind: 'comment' }
        : null,

  /** A personal key is sent alone; a token of an application is a bearer token. */
  authorize({ token }) {
    const value = token.reveal();
    return { authorization: value.startsWith('lin_api_') ? value : `Bearer ${value}` };
  },

  comment: (account, place, post) =>
    call(account, CREATE, {
      input: {
        issueId: place.issue,
        body: marked(post),
        ...(place.thread != null && { parentId: place.thread }),
      },
    }),
  edit: (account, _, id, post) => call(account, UPDATE, { id, input: { body: marked(post) } }),
  find: (account, place) => call(account, FIND, { id: place.issue, mark: 'hookctl:out' }),

  readPage(_, answer, id) {
    const nodes = objectsAt(answerJson(answer), 'data', 'issue', 'comments', 'nodes');
    const author = idAt(objectAt(answerJson(answer), 'data', 'viewer'), 'id');
    const found = findPost(nodes, {
      id,
      author,
      textOf: (comment) => textAt(comment, 'body'),
      authorOf: (comment) => idAt(comment, 'user', 'id'),
    });
    return { id: found, next: null };
  },

  react: (account, place, emoji) =>
    call(account, REACT, {
      input: { emoji, ...(place.comment == null ? { issueId: place.issue } : { commentId: place.comment }) },
    }),

  classify,
  postedId(answer) {
    const data = objectAt(answerJson(answer), 'data') ?? {};
    return idAt(data, 'commentCreate', 'comment', 'id') ?? idAt(data, 'commentUpdate', 'comment', 'id');
  },
};

function call({ baseUrl }: Account, query: string, variables: object): OutgoingCall {
  return { method: 'POST', url: `${baseUrl}/graphql`, body: { query, variables } };
}

/** The body says what was refused, whatever the status; "too many requests" comes as 400. */
function classify(answer: CallAnswer): Sent | null {
  const body = answerJson(answer);
  const [error] = objectsAt(body, 'errors');
  if (error !== undefined) {
    const code = textAt(error, 'extensions', 'code');
    const reason = textAt(error, 'message') ?? code ?? 'Linear refuses it';
    if (code === 'RATELIMITED') return { result: 'again', reason, afterMs: null, certain: true };
    return answer.status >= 500 ? null : { result: 'refused', reason };
  }
  const outcome = Object.values(objectAt(body, 'data') ?? {}).find(isJsonObject);
  return getPath(outcome, ['success']) === false ? { result: 'refused', reason: 'Linear refuses it' } : null;
}

function marked({ id, text }: Post): string {
  return `${text}\n\n${plainMarker(id)}`;
}
