import type { Pool } from 'undici';
import { usageError } from '../../errors.ts';
import { type Headers, OWN_HEADERS, type RawRequest } from '../../types.ts';

/** How a request ended. */
export interface Sent {
  /** HTTP status. Null when there was no response. */
  readonly status: number | null;
  /** Why there was no response, or not an accepted one. */
  readonly error: string | null;
}

/** Posts stored requests to one URL over persistent connections. */
interface Poster {
  post(request: RawRequest): Promise<Sent>;
  close(): Promise<void>;
}

/** Time limit for connecting, for the response headers, and between two parts of the body. */
const DEADLINE_MS = 30_000;

/** Posts over this many connections at most; a redirect is not followed. */
export async function createPoster(target: URL, connections: number): Promise<Poster> {
  const { Pool } = await import('undici');
  const pool = new Pool(target.origin, { connections, connect: { timeout: DEADLINE_MS } });
  return { post: (request) => post(pool, target, request), close: () => pool.close() };
}

/** Parses the URL to which a person sends what is stored. Throws `usage`. */
export function targetOf(to: string): URL {
  const target = URL.parse(to);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw usageError(`${to} is not a URL to send to`, 'Write it whole: http://localhost:3000/hook');
  }
  if (target.username === '' && target.password === '') return target;
  throw usageError('a URL to send to takes no user and password', 'Leave them out of the URL.');
}

async function post(pool: Pool, target: URL, { headers, query, body }: RawRequest): Promise<Sent> {
  try {
    const answer = await pool.request({
      method: (headers[OWN_HEADERS.method] ?? 'POST') as 'POST',
      path: pathOf(target, query),
      headers: passedOn(headers),
      body,
      headersTimeout: DEADLINE_MS,
      bodyTimeout: DEADLINE_MS,
    });
    await answer.body.dump();
    const status = answer.statusCode;
    const isRedirect = status >= 300 && status < 400;
    return { status, error: isRedirect ? `redirects to ${answer.headers.location}, not followed` : null };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { status: null, error: code ?? message };
  }
}

/** What belongs to one connection or to the former receiver. RFC 9110, 7.6.1. */
const NOT_PASSED_ON: readonly string[] = [
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'content-length', 'expect'],
];

function passedOn(headers: Headers): Record<string, string> {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !NOT_PASSED_ON.includes(name) && !named.includes(name) && !name.startsWith(':'),
    ),
  );
}

/** Path and query of a request at its target. */
export function pathOf({ pathname, search }: URL, query: string): string {
  if (query === '') return pathname + search;
  return `${pathname}${search === '' ? '?' : `${search}&`}${query}`;
}
