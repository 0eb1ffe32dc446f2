import type {
  Account,
  CallAnswer,
  JsonObject,
  OutgoingCall,
  Post,
  ReplyChannel,
  ThreadRef,
} from '../../types.ts';
import { idAt, textAt } from './payload.ts';
import { answerJson, answerList, findPost, hiddenlyMarked, postedId } from './reply.ts';

/** The comments of a thread in a REST API: what differs between senders. */
interface CommentsApi {
  /** URL of the comments of a thread, to which a new one is posted. */
  url(account: Account, place: ThreadRef): string;
  /** Where those are that may hold one posted since then (epoch ms), the newest first. Default: the same. */
  listUrl?(account: Account, place: ThreadRef, since: number): string;
  /** How one of them is replaced. Left out: it cannot be. */
  readonly edit?: {
    readonly method: 'PUT' | 'PATCH';
    url(account: Account, place: ThreadRef, remoteId: string): string;
  };
  /** What a post is sent as. Default: `body`, Markdown with a hidden mark. */
  content?(post: Post, account: Account): object;
  /** The comments in an answer. Default: it is their list. */
  list?(answer: CallAnswer): readonly JsonObject[];
  /** Default: `body`. */
  textOf?(comment: JsonObject): string | null;
  /** Left out: comments name no author, and the mark alone tells. */
  authorOf?(comment: JsonObject): string | null;
  /** Asks for the account's name as comments show it. */
  readonly whoami?: { url(account: Account): string; read(answer: CallAnswer): string | null };
  /** URL of the next page. Default: one page is enough. */
  next?(answer: CallAnswer): string | null;
}

type CommentCalls = Pick<ReplyChannel, 'comment' | 'edit' | 'find' | 'readPage' | 'whoami' | 'postedId'>;

/** Posts, edits and finds comments in such an API. */
export function commentsApi({
  url,
  listUrl = (account, place) => url(account, place),
  edit,
  content = (post) => ({ body: hiddenlyMarked(post) }),
  list = answerList,
  textOf = (comment) => textAt(comment, 'body'),
  authorOf = () => null,
  whoami,
  next = () => null,
}: CommentsApi): CommentCalls {
  return {
    comment: (account, place, post) => call('POST', url(account, place), content(post, account)),
    ...(edit !== undefined && {
      edit: (account, place, remoteId, post) =>
        call(edit.method, edit.url(account, place, remoteId), content(post, account)),
    }),
    find: (account, place, since) => call('GET', listUrl(account, place, since)),
    readPage: (_, answer, id, author) => ({
      id: findPost(list(answer), { id, author, textOf, authorOf }),
      next: next(answer),
    }),
    ...(whoami !== undefined && {
      whoami: { call: (account) => call('GET', whoami.url(account)), read: whoami.read },
    }),
    postedId,
  };
}

/** The account's name, where the API shows it as the `id` of the user it belongs to. */
export function whoamiAt(path: string): NonNullable<CommentsApi['whoami']> {
  return { url: ({ baseUrl }) => baseUrl + path, read: (answer) => idAt(answerJson(answer), 'id') };
}

/** A request with JSON. */
export function call(method: OutgoingCall['method'], url: string, body: object | null = null): OutgoingCall {
  return { method, url, body };
}
