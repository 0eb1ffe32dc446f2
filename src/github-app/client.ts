import { createPrivateKey } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { failure } from '../errors.ts';
import { isPrivateHost } from '../lib/http/addresses.ts';
import { secret } from '../lib/redact/redact.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import { retryAfterMs } from '../outbox/send.ts';
import { type Transport, TransportError } from '../outbox/transport.ts';
import { rateLimit } from '../providers/github/reply.ts';
import { textAt } from '../providers/kit/payload.ts';
import { answerJson } from '../providers/kit/reply.ts';
import type { CallAnswer, Headers, Secret } from '../types.ts';
import type { GithubApp } from './record.ts';

/** A call of GitHub's REST API. */
interface GithubCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the API's address, with its query. */
  readonly path: string;
  /** JSON. Left out: none. */
  readonly body?: object;
}

/** GitHub can't answer now: no connection, its own failure, or a rate limit. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
  /** Milliseconds that GitHub asks to wait. Null when it does not ask. */
  readonly afterMs: number | null;

  constructor(message: string, afterMs: number | null, cause?: unknown) {
    super(message, { cause });
    this.afterMs = afterMs;
  }
}

/** Speaks to GitHub for an App. */
export interface AppClient {
  /** With the App's own JWT: about the App, its hook and its installations. Throws `TryLater`, and `github_app` for a key that GitHub refuses. */
  asApp(app: GithubApp, call: GithubCall): Promise<CallAnswer>;
  /** With a token, or with nothing. Throws `TryLater`. */
  call(
    app: Pick<GithubApp, 'apiUrl' | 'privateNetwork'>,
    call: GithubCall,
    token: Secret | null,
  ): Promise<CallAnswer>;
  /** Headers with the App's JWT. */
  authorize(app: GithubApp): Promise<Headers>;
  /** The time as an App's GitHub has it, in epoch milliseconds. */
  timeAt(app: Pick<GithubApp, 'apiUrl'>): number;
}

interface ClientOptions {
  readonly transport: Transport;
  readonly now: () => number;
  readonly userAgent: string;
}

const ACCEPT = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };

/** A clock that is off by less needs no correction. */
const SLACK_MS = 5_000;

export function createAppClient({ transport, now, userAgent }: ClientOptions): AppClient {
  /** How far GitHub's clock is ahead of ours, by the address of its API. */
  const ahead = new Map<string, number>();
  const timeAt: AppClient['timeAt'] = ({ apiUrl }) => now() + (ahead.get(apiUrl) ?? 0);

  /** True when GitHub's clock turned out to be another than was thought. */
  function learnTime(apiUrl: string, { headers }: CallAnswer): boolean {
    const difference = Date.parse(headers.date ?? '') - now();
    const known = ahead.get(apiUrl) ?? 0;
    if (Number.isNaN(difference) || Math.abs(difference - known) < SLACK_MS) return false;
    ahead.set(apiUrl, Math.abs(difference) < SLACK_MS ? 0 : difference);
    return true;
  }

  const call: AppClient['call'] = async ({ apiUrl, privateNetwork }, { method, path, body }, token) => {
    const answer = await transport
      .send({
        method,
        url: apiUrl + path,
        headers: {
          'user-agent': userAgent,
          ...ACCEPT,
          ...(body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
          ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        privateNetwork: privateNetwork || isPrivateHost(new URL(apiUrl).hostname),
      })
      .catch((error: unknown) => {
        if (error instanceof TransportError) throw new TryLater(error.message, null, error);
        throw error;
      });
    const limited = rateLimit(answer);
    const afterMs = retryAfterMs(answer.headers, now());
    if (limited?.result === 'again') throw new TryLater(limited.reason, limited.afterMs ?? afterMs);
    if (answer.status >= 500 || answer.status === 429)
      throw new TryLater(`GitHub answers ${said(answer)}`, afterMs);
    return answer;
  };

  return {
    call,
    timeAt,
    async authorize(app) {
      const jwt = await appToken(app, timeAt(app));
      return { ...ACCEPT, authorization: `Bearer ${jwt.reveal()}` };
    },
    async asApp(app, wanted) {
      const ask = async () => call(app, wanted, await appToken(app, timeAt(app)));
      const first = await ask();
      const answer = first.status === 401 && learnTime(app.apiUrl, first) ? await ask() : first;
      if (answer.status !== 401) return answer;
      throw failure('github_app', `GitHub refuses the key of the App ${app.slug}: ${said(answer)}`, {
        fix: `Was it deleted, or its key? Look at ${app.webUrl}/settings/apps/${app.slug}, or make a new one: hookctl connect github --app`,
      });
    },
  };
}

/** A JWT for ten minutes, with room for clocks that differ. GitHub's keys are PKCS#1, which `jose` takes as a key object only. */
async function appToken({ id, key }: GithubApp, now: number): Promise<Secret> {
  const { SignJWT } = await import('jose');
  const seconds = Math.floor(now / 1000);
  const jwt = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(id)
    .setIssuedAt(seconds - 30)
    .setExpirationTime(seconds + 570)
    .sign(createPrivateKey(key.reveal()));
  return secret(jwt);
}

const LENGTH = 200;

/** `404 Not Found: …`, with GitHub's own message. */
export function said(answer: CallAnswer): string {
  const name = `${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trim();
  const message = textAt(answerJson(answer), 'message');
  return message === null ? name : shorten(`${name}: ${escapeInvisibleLine(message)}`, LENGTH);
}
