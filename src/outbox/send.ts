import { STATUS_CODES } from 'node:http';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { answerJson } from '../providers/kit/reply.ts';
import type { CallAnswer, Headers, ReplyChannel, Sent } from '../types.ts';
import type { Finding, Plan } from './plan.ts';
import { type Transport, TransportError, type WireRequest } from './transport.ts';

/** Pages of a thread in which a post is looked for. */
const MAX_PAGES = 10;

const UNKNOWN_END = 'it is not known whether the last try arrived; `hookctl outbox retry` sends it again';

/**
 * One try. `uncertain`: an earlier one may have succeeded although its answer never came; then a post is looked for
 * first, and what cannot be looked for and must not be posted twice is left to a person.
 */
export async function send(
  { transport, now }: { readonly transport: Transport; readonly now: () => number },
  plan: Plan,
  uncertain: boolean,
): Promise<Sent> {
  if (uncertain && !plan.repeatable) {
    if (plan.find === null) return { result: 'refused', reason: UNKNOWN_END };
    const found = await lookUp(transport, plan, plan.find, now());
    if (found !== null) return found;
  }
  const answer = await ask(transport, plan, plan.request);
  if ('result' in answer) return answer;
  const sent = classify(answer, plan.channel, now());
  // A post without an id could not be edited: look for it as if the answer had never come.
  if (sent.result === 'done' && sent.id === null && plan.find !== null && answerJson(answer) === null) {
    return { result: 'again', reason: 'the answer is not JSON', afterMs: null, certain: false };
  }
  return sent;
}

/** The result of the earlier try. Null when its post is not there, so that it can be sent. */
async function lookUp(transport: Transport, plan: Plan, finding: Finding, now: number): Promise<Sent | null> {
  const { channel } = plan;
  const self = finding.whoami === null ? null : await ask(transport, plan, finding.whoami.request);
  if (self !== null && 'result' in self) return { ...self, certain: false };
  const unable = self === null ? null : classify(self, channel, now);
  if (unable?.result === 'again') return { ...unable, certain: false };
  // Tokens of apps may not ask; then the mark alone has to do.
  const author = self !== null && self.status === 200 ? (finding.whoami?.read(self) ?? null) : null;
  let request = finding.first;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await ask(transport, plan, request);
    if ('result' in answer) return { ...answer, certain: false };
    const sent = classify(answer, channel, now);
    if (sent.result === 'again') return { ...sent, certain: false };
    if (sent.result === 'refused')
      return { result: 'refused', reason: `${UNKNOWN_END} (the thread can't be read: ${sent.reason})` };
    if (answerJson(answer) === null)
      return { result: 'again', reason: 'the answer is not JSON', afterMs: null, certain: false };
    const { id, next } = finding.read(answer, author);
    if (id !== null) return { result: 'done', id };
    if (next === null || new URL(next).origin !== new URL(request.url).origin) return null;
    request = finding.page(next);
  }
  return null;
}

/** GitHub may not know a new token everywhere yet. */
const NEW_TOKEN_MS = 1_000;

/** One request. Without a whole answer it is to be sent again, `certain` when it was not seen. */
export async function ask(
  transport: Transport,
  { refused }: Pick<Plan, 'refused'>,
  request: WireRequest,
): Promise<CallAnswer | Extract<Sent, { result: 'again' }>> {
  try {
    const answer = await transport.send(request);
    if (answer.status !== 401 || refused === null) return answer;
    refused();
    return { result: 'again', reason: 'its token is refused (401)', afterMs: NEW_TOKEN_MS, certain: true };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { result: 'again', reason: error.message, afterMs: null, certain: error.unseen };
  }
}

/** Upper bound for `Retry-After`. */
const LONGEST_MS = 3_600_000;

/**
 * How long an answer asks to wait (RFC 9110, `Retry-After`): seconds or a date, in milliseconds from `now`, at most an
 * hour. Null when it does not ask, or asks for what is past or no time.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const value = headers['retry-after']?.trim() ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(wait) && wait > 0 ? Math.min(wait, LONGEST_MS) : null;
}

const REASON_LENGTH = 200;

/** Statuses that say "not now". A 5xx may have done it before it failed; these have not. */
const NOT_NOW = [408, 425, 429, 503];

/** What an answer means: the provider's own word first, else by its status. */
export function classify(
  answer: CallAnswer,
  channel: Pick<ReplyChannel, 'classify' | 'postedId'> | null,
  now: number,
): Sent {
  const told = channel?.classify?.(answer) ?? byStatus(answer, channel);
  if (told.result !== 'again' || told.afterMs !== null) return told;
  return { ...told, afterMs: retryAfterMs(answer.headers, now) };
}

function byStatus(answer: CallAnswer, channel: Pick<ReplyChannel, 'postedId'> | null): Sent {
  const { status } = answer;
  if (status >= 200 && status < 300) return { result: 'done', id: channel?.postedId(answer) ?? null };
  const reason = sentence(answer);
  if (NOT_NOW.includes(status) || status >= 500) {
    return { result: 'again', reason, afterMs: null, certain: NOT_NOW.includes(status) };
  }
  return { result: 'refused', reason };
}

/** `404 Not Found: …`, with the beginning of what the provider says. */
function sentence({ status, headers, text }: CallAnswer): string {
  const name = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status >= 300 && status < 400)
    return `${name}: it redirects to ${headers.location ?? 'nowhere'}, which is not followed`;
  const said = escapeInvisibleLine(text.startsWith('<') ? '' : text);
  return shorten(said === '' ? name : `${name}: ${said}`, REASON_LENGTH);
}
