import { type FailureFacts, HookctlError } from '../errors.ts';
import { fullJitter, pause } from '../lib/time.ts';
import { wire } from '../outbox/plan.ts';
import { ask, classify } from '../outbox/send.ts';
import type { Transport } from '../outbox/transport.ts';
import type { Account, CallAnswer, Headers, JsonValue, OutgoingCall, ReplyChannel } from '../types.ts';

/** A call of a sender's API. */
export interface ApiRequest extends Pick<OutgoingCall, 'method' | 'body'> {
  /** Below the account's address, from `/`; or a whole URL there, as pages are linked. */
  readonly path: string;
  /** Sending it twice does no harm. Default: all but POST. */
  readonly isRepeatable?: boolean;
}

export interface ApiAnswer extends CallAnswer {
  /** Whole numbers beyond 2^53 are texts. Null when the answer is not JSON. */
  readonly json: JsonValue;
}

/** How a call failed. `uncertain`: the request may have been done; look before it is sent again. */
type ApiFailure = 'refused' | 'limited' | 'unreachable' | 'uncertain';

/** A call that failed for good. Codes: `api_refused`, `api_limited`, `api_unreachable`, `api_uncertain`. */
export class ApiError extends HookctlError {
  override readonly name = 'ApiError';
  readonly kind: ApiFailure;
  /** Null when none came. */
  readonly answer: CallAnswer | null;

  constructor(kind: ApiFailure, message: string, answer: CallAnswer | null, facts: FailureFacts = {}) {
    super(`api_${kind}`, answer?.status === 404 ? 4 : 1, message, facts);
    this.kind = kind;
    this.answer = answer;
  }
}

interface ApiOptions {
  readonly account: Account;
  /** Headers with the token, asked for at each try: some tokens end. */
  readonly authorize: () => Headers | Promise<Headers>;
  readonly classify?: ReplyChannel['classify'];
  readonly transport: Transport;
  readonly userAgent: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How long a call may wait altogether for limits and for a server that fails, in milliseconds. Default 45 s. */
  readonly patienceMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Which right is missing, for the message. */
  readonly right?: (answer: CallAnswer) => string | null;
}

/** A sender's API, asked one call after the other. */
export interface SenderApi {
  /** Waits for rate limits and tries again what failed, as long as that can do no harm. Throws `ApiError`. */
  call(request: ApiRequest): Promise<ApiAnswer>;
  /** The answers of a list, page after page. A page that leads back to one that was read ends it. */
  pages(
    first: ApiRequest,
    next: ((answer: ApiAnswer, request: ApiRequest) => ApiRequest | null) | undefined,
  ): AsyncGenerator<ApiAnswer, void, void>;
}

const PATIENCE_MS = 45_000;
const BACKOFF = { baseMs: 500, capMs: 8_000, random: Math.random };
const MOST_REDIRECTS = 3;
/** Tokens are given again at each try. */
const NO_REFUSAL = { refused: null };

export function openApi(options: ApiOptions): SenderApi {
  const { account, authorize, transport, userAgent, now, patienceMs = PATIENCE_MS } = options;
  const signal = options.signal ?? new AbortController().signal;
  const channel = { postedId: () => null, ...(options.classify && { classify: options.classify }) };
  const host = new URL(account.baseUrl).host;

  const call: SenderApi['call'] = async (request) => {
    const until = performance.now() + patienceMs;
    let url = urlOf(account, request.path);
    let redirects = 0;
    for (let attempt = 0; ; attempt += 1) {
      const { method, body } = request;
      const answer = await ask(
        transport,
        NO_REFUSAL,
        wire({ method, url, body }, account, await authorize(), userAgent),
      );
      const moved = 'result' in answer ? null : redirected(answer, url, method);
      if (moved !== null && redirects < MOST_REDIRECTS) {
        redirects += 1;
        url = moved;
        continue;
      }
      const sent = 'result' in answer ? answer : classify(answer, channel, now());
      const said = 'result' in answer ? null : answer;
      const what = `${method} ${new URL(url).pathname} at ${host}`;
      if (sent.result === 'done' && said !== null) {
        const json = jsonOf(said.text);
        if (json !== null || (said.text.trim() === '' && method !== 'GET')) return { ...said, json };
        throw noJson(what, said, request.isRepeatable ?? method !== 'POST');
      }
      const reason = sent.result === 'done' ? '' : sent.reason;
      if (sent.result !== 'again') throw refusal(what, reason, said, options);
      const isRepeatable = request.isRepeatable ?? method !== 'POST';
      if (!sent.certain && !isRepeatable) throw new ApiError('uncertain', `${what}: ${reason}`, said);
      const waitMs = sent.afterMs ?? BACKOFF.baseMs + fullJitter(attempt, BACKOFF);
      if (performance.now() + waitMs > until || !(await pause(waitMs, signal))) {
        const isLimit = sent.afterMs !== null || said?.status === 429;
        throw gaveUp(what, reason, said, isLimit ? now() + waitMs : null);
      }
    }
  };

  return {
    call,
    async *pages(first, next) {
      const seen = new Set<string>();
      for (let request: ApiRequest | null = first; request !== null; ) {
        const key = `${urlOf(account, request.path)} ${JSON.stringify(request.body)}`;
        if (seen.has(key)) return;
        seen.add(key);
        const answer: ApiAnswer = await call(request);
        yield answer;
        request = next?.(answer, request) ?? null;
      }
    },
  };
}

/** Throws where a link leads to another host: the token is for this one. */
function urlOf({ baseUrl, provider }: Account, path: string): string {
  if (path.startsWith('/')) return baseUrl + path;
  if (URL.parse(path)?.origin === new URL(baseUrl).origin) return path;
  throw new ApiError(
    'refused',
    `${provider} continues its list at ${URL.parse(path)?.host ?? path}, but the token is for ${new URL(baseUrl).host}`,
    null,
    {
      fix: `Set the address under which ${provider} links its pages: credentials.${provider}.baseUrl in webhooks.yml.`,
    },
  );
}

/** Where an answer sends a request on the same host, as for a repository that was renamed; else null. */
function redirected({ status, headers }: CallAnswer, url: string, method: string): string | null {
  const isKept = status === 307 || status === 308 || (method === 'GET' && (status === 301 || status === 302));
  const to = isKept ? URL.parse(headers.location ?? '', url) : null;
  return to !== null && to.origin === new URL(url).origin ? to.href : null;
}

function refusal(what: string, reason: string, answer: CallAnswer | null, { right }: ApiOptions): ApiError {
  const isRight = answer !== null && [200, 401, 403, 404].includes(answer.status);
  const fix = isRight ? (right?.(answer) ?? null) : null;
  return new ApiError('refused', `${what}: ${reason}`, answer, fix === null ? {} : { fix });
}

/** A page of a proxy or of a login, which says nothing of what was asked: taken for an empty list it would do harm. */
function noJson(what: string, answer: CallAnswer, isRepeatable: boolean): ApiError {
  const { status, text } = answer;
  const begin = text.trim().replaceAll(/\s+/g, ' ').slice(0, 60);
  return new ApiError(
    isRepeatable ? 'refused' : 'uncertain',
    `${what}: it answers ${status} with ${begin === '' ? 'nothing' : `a page and no JSON (${begin})`}`,
    answer,
    { fix: 'Is that the address of its API, and no proxy or login page before it?' },
  );
}

function gaveUp(
  what: string,
  reason: string,
  answer: CallAnswer | null,
  limitedUntil: number | null,
): ApiError {
  if (limitedUntil === null) {
    return new ApiError('unreachable', `${what}: ${reason}`, answer, { fix: 'Try again when it answers.' });
  }
  const at = new Date(limitedUntil).toISOString();
  return new ApiError('limited', `${what}: ${reason}`, answer, { fix: `It takes requests again at ${at}.` });
}

/** Whole numbers beyond 2^53 would lose their last digits. */
function jsonOf(text: string): JsonValue {
  const exact = (_: string, value: JsonValue, context?: { readonly source?: string }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? (context?.source ?? value)
      : value;
  try {
    return /\d{16}/.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
  } catch {
    return null;
  }
}

/** The URL behind `rel="next"` of a `Link` header (RFC 8288). Null on the last page. */
export function linkedPage({ headers }: CallAnswer, request: ApiRequest): ApiRequest | null {
  const url = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(headers.link ?? '')?.[1];
  return url === undefined ? null : { ...request, path: url };
}
