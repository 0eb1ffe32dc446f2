import { pause } from '../../../lib/time.ts';
import { readServerSentEvents, type ServerSentEvent } from '../../../lib/http/sse.ts';
import type { SmeeSettings } from '../../settings.ts';
import { type OpenContext, TunnelFailure } from '../../tunnel.ts';
import { createDispatcher, networkReason } from '../../http.ts';

const GREETING_TIMEOUT_MS = 20_000;
/** gosmee takes bodies of 25 MiB, which are a third longer as base64; headers come on top. */
const LONGEST_EVENT = 40 * 1024 * 1024;
const LONGEST_RETRY_AFTER_S = 300;

export interface RelayStream {
  /** The greeting, or on a resumed connection perhaps already a request. */
  readonly first: ServerSentEvent;
  /** All events, the first included; throws what the network throws. */
  readonly events: AsyncIterable<ServerSentEvent>;
  close(): Promise<void>;
}

/** Listens at a channel: smee.io streams under the channel's URL, gosmee under `/events/<channel>`. */
export async function subscribe(context: OpenContext<SmeeSettings>): Promise<RelayStream> {
  const { url } = context.settings;
  const gosmeeUrl = url.replace(/\/([^/]+)\/?$/, '/events/$1');
  const stream = (await listen(context, url)) ?? (await listen(context, gosmeeUrl));
  if (stream !== null) return stream;
  throw new TunnelFailure(`${url} is no channel: it answers with something else than a stream of events`, {
    fix: 'Make a channel with "hookctl tunnel new smee" and use its URL.',
  });
}

/** Null when the address answers, but not with a stream. */
async function listen(context: OpenContext<SmeeSettings>, url: string): Promise<RelayStream | null> {
  const { request } = await import('undici');
  const dispatcher = await createDispatcher(context.env);
  const greeted = new AbortController();
  const tooLate = new AbortController();
  const signal = AbortSignal.any([context.signal, tooLate.signal]);
  void pause(
    context.clock.scaled(GREETING_TIMEOUT_MS),
    AbortSignal.any([context.signal, greeted.signal]),
  ).then((passed) => passed && tooLate.abort(new Error('no greeting in time')));
  const close = () => dispatcher.destroy();
  try {
    const answer = await request(url, { headers: requestHeaders(context), dispatcher, signal });
    if (!isStream(answer.statusCode, answer.headers['content-type'])) {
      await close();
      refuse(context, url, answer.statusCode, answer.headers['retry-after']);
      return null;
    }
    const onBytes = () => context.report({ kind: 'alive' });
    const events = readServerSentEvents(answer.body, { maxLength: LONGEST_EVENT, onBytes });
    const { value: first, done } = await events.next();
    if (done) throw new TunnelFailure(`${url} closed the stream before it began`);
    return { first, events: startingWith(first, events), close };
  } catch (error) {
    await close();
    if (error instanceof TunnelFailure) throw error;
    throw new TunnelFailure(`${url}: ${networkReason(error)}`, { cause: error });
  } finally {
    greeted.abort();
  }
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function requestHeaders({ resumeAfter }: OpenContext): Record<string, string> {
  // smee.io streams only to this very value; with `, */*` behind it, it sends its web page.
  const headers = { accept: 'text/event-stream', 'user-agent': 'hookctl' };
  return resumeAfter === null ? headers : { ...headers, 'last-event-id': resumeAfter };
}

function isStream(status: number, contentType: string | string[] | undefined): boolean {
  return status === 200 && String(contentType).startsWith('text/event-stream');
}

/** Throws on a status that asks to come back later; returns on those that a wrong dialect gives. */
function refuse(
  context: OpenContext<SmeeSettings>,
  url: string,
  status: number,
  retryAfter: string | string[] | undefined,
): void {
  if ([200, 404, 405, 406].includes(status)) return;
  // gosmee answers 400 to a position that it does not understand; it would do so for ever.
  if (status === 400 && context.resumeAfter !== null) context.report({ kind: 'position', id: null });
  const seconds = Number(retryAfter);
  const retryAfterMs = seconds > 0 ? Math.min(seconds, LONGEST_RETRY_AFTER_S) * 1000 : 0;
  throw new TunnelFailure(`${url} answered ${status}`, { retryAfterMs });
}
