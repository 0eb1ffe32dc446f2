import { failure } from '../errors.ts';
import { isLoopbackHost, isPrivateHost } from '../lib/http/addresses.ts';
import { cutAtSentence } from '../lib/text/cut.ts';
import { inert as inertBy } from '../providers/kit/inert.ts';
import type { StoreReader } from '../store/store.ts';
import type {
  Account,
  CallAnswer,
  Headers,
  Lookup,
  Outgoing,
  OutgoingCall,
  Post,
  ReplyChannel,
  Sent,
  ThreadRef,
} from '../types.ts';
import { buttonsOf } from './buttons.ts';
import type { WireRequest } from './transport.ts';

/**
 * The account that posts, or why there is none. `bare`: the account without a token, where requests bring a reply channel. `again`:
 * its token can't be made now.
 */
export type FoundAccount =
  | Account
  | { readonly missing: string; readonly bare?: Account | null }
  | { readonly again: Extract<Sent, { result: 'again' }> };

/** What a plan is made with. */
export interface PlanContext {
  readonly store: Pick<StoreReader, 'outgoing' | 'delivery' | 'body' | 'responsesBefore' | 'task'>;
  readonly now: () => number;
  /** The account that posts at a provider, in a thread. */
  readonly accountOf: (provider: string, place: ThreadRef) => FoundAccount | Promise<FoundAccount>;
  readonly channelOf: (provider: string) => Promise<ReplyChannel | null>;
  readonly userAgent: string;
  /** Removes secrets from a text before it is sent. */
  readonly redact: (text: string) => string;
}

/** How one item is sent. */
export interface Plan {
  readonly request: WireRequest;
  /** Reads the answer; null where the status says all. */
  readonly channel: ReplyChannel | null;
  /** Finds out whether a try without an answer has succeeded. Null when there is no way to. */
  readonly find: Finding | null;
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
  /** Called when the account is refused, where another try has a better token. Null where it would not help. */
  readonly refused: (() => void) | null;
}

/** How a post is looked for in its thread, page by page. */
export interface Finding {
  readonly first: WireRequest;
  readonly read: (answer: CallAnswer, author: string | null) => Lookup;
  /** Asks which account posts. Null when it is not asked. */
  readonly whoami: {
    readonly request: WireRequest;
    readonly read: (answer: CallAnswer) => string | null;
  } | null;
  /** The request for a further page. */
  readonly page: (url: string) => WireRequest;
}

/** Room for the marker and for what a conversion adds. */
const MARGIN = 200;
/** Of a forwarded request these belong to the connection on which it came. */
const HOP_HEADERS =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|expect)$/;

/** What a try is made of; or why it has to wait. */
type Planned = Plan | Extract<FoundAccount, { again: unknown }>;

/** Turns an item into a request. Throws `HookctlError` when it can't be sent at all: no token, no thread, no bytes. */
export async function planOf(context: PlanContext, item: Outgoing): Promise<Planned> {
  if (item.kind === 'forward') return planForward(context, item);
  return planReply(context, { ...item, content: context.redact(item.content) });
}

function planForward({ store }: PlanContext, item: Outgoing): Plan {
  const { deliveryId } = item;
  const delivery = deliveryId === null ? null : store.delivery(deliveryId);
  const body = deliveryId === null ? null : store.body(deliveryId);
  if (deliveryId === null || delivery === null || body === null)
    throw failure('no_bytes', 'the bytes of its delivery are no longer stored');
  const kept = Object.entries(delivery.headers).filter(([name]) => !HOP_HEADERS.test(name));
  const request = {
    method: 'POST',
    url:
      item.content +
      (delivery.query === '' ? '' : `${item.content.includes('?') ? '&' : '?'}${delivery.query}`),
    headers: { ...Object.fromEntries(kept), 'x-hookctl-delivery': deliveryId },
    body,
    privateNetwork: item.privateNetwork || isPrivateHost(new URL(item.content).hostname),
  };
  return { request, channel: null, find: null, repeatable: true, refused: null };
}

async function planReply(context: PlanContext, item: Outgoing): Promise<Planned> {
  const channel = await context.channelOf(item.provider);
  if (channel === null) throw failure('no_replies', `${item.provider} can't be answered`);
  const account = await context.accountOf(item.provider, item.place);
  if ('again' in account) return account;
  if ('missing' in account) return planByResponse(context, item, channel, account);
  checkHost(account, item.place.host);
  const authorize = (call: OutgoingCall) =>
    wire(call, account, channel.authorize(account), context.userAgent);
  const { call, findable, repeatable } = callOf(context, item, channel, account);
  return {
    request: authorize(call),
    channel,
    find: findable ? findingOf(item, channel, account, authorize) : null,
    repeatable,
    refused: account.refused ?? null,
  };
}

/** Without a token only the reply channel that the request brought is open. It takes texts, and nothing else. */
function planByResponse(
  context: PlanContext,
  item: Outgoing,
  channel: ReplyChannel,
  { missing, bare = null }: { readonly missing: string; readonly bare?: Account | null },
): Plan {
  const isText = item.kind === 'comment' || item.kind === 'respond' || item.kind === 'ephemeral';
  const post = postOf(context, item, channel);
  const call =
    bare === null || !isText
      ? null
      : responseCall(context, item, channel, bare, { post, inChannel: item.kind !== 'ephemeral' });
  if (bare === null || call === null) throw failure('no_account', missing);
  return {
    request: wire(call, bare, {}, context.userAgent),
    channel,
    find: null,
    repeatable: false,
    refused: null,
  };
}

function findingOf(
  { id, place, createdAt }: Outgoing,
  { find, readPage, whoami }: ReplyChannel,
  account: Account,
  authorize: (call: OutgoingCall) => WireRequest,
): Finding | null {
  if (find === undefined || readPage === undefined) return null;
  return {
    first: authorize(find(account, place, createdAt)),
    read: (answer, author) => readPage(account, answer, id, author),
    whoami: whoami === undefined ? null : { request: authorize(whoami.call(account)), read: whoami.read },
    page: (url) => authorize({ method: 'GET', url, body: null }),
  };
}

function postOf(
  { store }: Pick<PlanContext, 'store'>,
  item: Outgoing,
  // An own provider that says nothing of its markup is taken for one that renders Markdown.
  { textLimit, inert = inertBy.markdown, isPost }: ReplyChannel,
): Post {
  const { id, edits, content } = item;
  const text = cutAtSentence(inert(content), textLimit - MARGIN);
  return { id: edits ?? id, text, ...(isPost !== undefined && { buttons: buttonsOf(store, item) }) };
}

interface Described {
  readonly call: OutgoingCall;
  /** It becomes a post in the thread, under its marker. */
  readonly findable: boolean;
  /** Sent twice it changes nothing: reactions, labels and edits, whatever their method (Slack's `chat.update` is a POST). */
  readonly repeatable: boolean;
}

function callOf(context: PlanContext, item: Outgoing, channel: ReplyChannel, account: Account): Described {
  const { kind, place, content } = item;
  const post = postOf(context, item, channel);
  const fixed = (call: OutgoingCall | undefined, repeatable: boolean): Described => {
    if (call === undefined) throw failure('not_supported', `${item.provider} has no ${kind}`);
    return { call, findable: false, repeatable };
  };
  switch (kind) {
    case 'react':
      return fixed(channel.react?.(account, place, content), true);
    case 'label':
      return fixed(channel.label?.(account, place, content), true);
    case 'ephemeral': {
      const call = responseCall(context, item, channel, account, { post, inChannel: false });
      return fixed(call ?? channel.ephemeral?.(account, place, post), false);
    }
    case 'respond': {
      const call = responseCall(context, item, channel, account, { post, inChannel: true });
      return call === null ? posted(channel.comment(account, place, post)) : fixed(call, false);
    }
    case 'comment':
      return describeComment(context, item, channel, account, post);
    case 'forward':
      throw new Error('a forward is no reply');
    default:
      return kind satisfies never;
  }
}

/** An edit of a comment that was never posted is a comment itself. */
function describeComment(
  { store }: PlanContext,
  item: Outgoing,
  channel: ReplyChannel,
  account: Account,
  post: Post,
): Described {
  const original = item.edits === null ? null : store.outgoing(item.edits);
  if (original !== null && original.remoteId !== null && channel.edit !== undefined) {
    const call = channel.edit(account, item.place, original.remoteId, post);
    return { call, findable: false, repeatable: true };
  }
  return posted(channel.comment(account, item.place, { ...post, id: item.id }));
}

function posted(call: OutgoingCall): Described {
  return { call, findable: true, repeatable: false };
}

/** Null where there is no reply channel, or it may not be used any more: one of a replayed request is long gone. */
function responseCall(
  { store, now }: PlanContext,
  item: Outgoing,
  { respond }: ReplyChannel,
  account: Account,
  { post, inChannel }: { readonly post: Post; readonly inChannel: boolean },
): OutgoingCall | null {
  const delivery = item.deliveryId === null ? null : store.delivery(item.deliveryId);
  if (respond === undefined || delivery === null || delivery.replayOf !== null) return null;
  const uses = store.responsesBefore(item) + item.attempts;
  const open = now() < delivery.receivedAt + respond.lifetimeMs && uses < respond.uses;
  return open ? respond.call(account, item.place, post, inChannel) : null;
}

/** What happened on one server is not answered on another: the repository there may be somebody else's. */
function checkHost({ baseUrl, provider }: Account, host: string | null): void {
  const base = new URL(baseUrl);
  const name = (host ?? '').toLowerCase();
  const same = name === base.host || `api.${name}` === base.host || name.endsWith(`.${base.host}`);
  // A loopback address is a proxy on this machine: the operator sees to where it leads.
  if (host === null || same || isLoopbackHost(base.hostname)) return;
  throw failure('other_host', `it happened on ${host}, but the ${provider} token is for ${base.host}`);
}

/** A call as it is sent. The token goes only where it belongs. */
export function wire(
  call: OutgoingCall,
  account: Account,
  authorization: Headers,
  userAgent: string,
): WireRequest {
  const base = new URL(account.baseUrl);
  const isApi = new URL(call.url).origin === base.origin;
  const { body } = call;
  const isForm = body instanceof URLSearchParams;
  return {
    method: call.method,
    url: call.url,
    headers: {
      'user-agent': userAgent,
      ...(body !== null && {
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json; charset=utf-8',
      }),
      ...(isApi ? authorization : {}),
    },
    body: body === null ? null : isForm ? body.toString() : JSON.stringify(body),
    privateNetwork: isApi && (account.privateNetwork || isPrivateHost(base.hostname)),
  };
}
