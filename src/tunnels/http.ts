import type { EnvHttpProxyAgent } from 'undici';
import { messageOf } from '../errors.ts';
import type { Environment } from '../lib/process/subprocess.ts';
import type { Headers } from '../types.ts';

/** More of an answer is of no interest: these are addresses, states and error pages. */
const LONGEST_ANSWER = 64 * 1024;

interface SendOptions {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Headers;
  readonly body?: Uint8Array | string;
  /** Whose proxy variables count; none for loopback. */
  readonly env?: Environment;
  /** For the whole exchange, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends it sooner. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The first 64 KiB, as UTF-8. */
  readonly text: string;
}

/**
 * One request over its own connection, which is closed afterwards. Redirects are not followed. Throws what the
 * network threw; see `networkReason`.
 */
export async function send(url: string, options: SendOptions): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body = null, env = {}, timeoutMs } = options;
  const { request } = await import('undici');
  const dispatcher = await createDispatcher(env);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const answer = await request(url, { method, headers, body, dispatcher, signal });
    return { status: answer.statusCode, headers: plain(answer.headers), text: await beginning(answer.body) };
  } finally {
    await dispatcher.destroy();
  }
}

/** A connection pool that knows the proxies of `env`. The caller destroys it. */
export async function createDispatcher(env: Environment): Promise<EnvHttpProxyAgent> {
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    // Empty text, not undefined: undici would look into the environment of the process.
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    // A stream may be silent for as long as it likes; those who wait for something set a time themselves.
    bodyTimeout: 0,
  });
}

/** Why a request failed, in few words: `ECONNREFUSED`, `no answer in time`, … */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' && code !== 'UND_ERR_ABORTED' ? code : messageOf(error);
}

function plain(headers: Record<string, string | string[] | undefined>): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : `${value}`,
    ]),
  );
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= LONGEST_ANSWER) break;
  }
  return Buffer.concat(parts).subarray(0, LONGEST_ANSWER).toString('utf8');
}
