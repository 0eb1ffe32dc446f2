import type { Pool } from 'undici';
import { usageError } from '../../errors.ts';
import type { Headers, RawRequest } from '../../types.ts';

/** How a request ended. */
export interface Sent {
  /** HTTP status; null: no answer. */
  readonly status: number | null;
  /** Why there is no answer, or none that counts. */
  readonly error: string | null;
}

/** Posts kept requests to one place, over connections that stay open. */
interface Poster {
  post(request: RawRequest): Promise<Sent>;
  close(): Promise<void>;
}

/** From connecting to the first byte of the answer, and between two of its parts. */
const DEADLINE_MS = 30_000;

export async function createPoster(target: URL, connections: number): Promise<Poster> {
  const { Pool } = await import('undici');
  const pool = new Pool(target.origin, { connections, connect: { timeout: DEADLINE_MS } });
  return { post: (request) => post(pool, target, request), close: () => pool.close() };
}

/** The URL that a person typed. Throws `usage`. */
export function targetOf(to: string): URL {
  const target = URL.parse(to);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw usageError(`--to ${to} is no URL`, 'Write it whole: http://localhost:3000/hook');
  }
  if (target.username === '' && target.password === '') return target;
  throw usageError('--to takes no user and password', 'Leave them out of the URL.');
}

async function post(pool: Pool, target: URL, { headers, query, body }: RawRequest): Promise<Sent> {
  try {
    const answer = await pool.request({
      method: 'POST',
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
    Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name) && !named.includes(name)),
  );
}

function pathOf({ pathname, search }: URL, query: string): string {
  if (query === '') return pathname + search;
  return `${pathname}${search === '' ? '?' : `${search}&`}${query}`;
}
