/** A refusal of the API (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly fix: string | null;
  /** Each mistake in what was sent. */
  readonly mistakes: readonly string[];

  constructor(status: number, detail: string, fix: string | null, mistakes: readonly string[] = []) {
    super(detail);
    this.status = status;
    this.fix = fix;
    this.mistakes = mistakes;
  }
}

/** The token is in this variable alone, unless the person wants this tab to remember it. */
let token: string | null = null;
const KEY = 'hookctl-token';

/** Takes the token out of the address, where `hookctl dashboard` put it, before anything else can see it. */
export function takeToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) history.replaceState(null, '', location.pathname + location.search);
  token = given ?? sessionStorage.getItem(KEY);
}

export function hasToken(): boolean {
  return token !== null;
}

export function isRemembered(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

/** Keeps the token in this tab until it is closed, or no longer. */
export function remember(wanted: boolean): void {
  if (wanted && token !== null) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
}

export function setToken(given: string | null): void {
  token = given;
  if (given === null) sessionStorage.removeItem(KEY);
}

const signedOut = new Set<() => void>();

/** Calls back when the server no longer takes the token. */
export function onSignedOut(call: () => void): () => void {
  signedOut.add(call);
  return () => signedOut.delete(call);
}

/** A request with the token, whatever is answered. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token ?? ''}`);
  const answer = await fetch(path, { ...init, headers, cache: 'no-store', redirect: 'error' }).catch(
    (error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new Problem(
        0,
        'The server does not answer.',
        'Start it with `hookctl serve`; this page goes on by itself.',
      );
    },
  );
  if (answer.status === 401) {
    setToken(null);
    for (const call of signedOut) call();
  }
  return answer;
}

interface ProblemBody {
  readonly detail?: string;
  readonly fix?: string;
  readonly problems?: readonly {
    readonly path?: unknown;
    readonly message?: string;
    readonly fix?: string;
  }[];
}

/** What the API answers. Throws `Problem`. */
export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await send(path, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
    ...(signal !== undefined && { signal }),
  });
  const text = await answer.text();
  if (answer.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw problemOf(answer.status, text);
}

function problemOf(status: number, text: string): Problem {
  try {
    const { detail, fix, problems = [] } = JSON.parse(text) as ProblemBody;
    const mistakes = problems.map(({ path, message = '', fix: way }) => {
      const where = Array.isArray(path) ? `${path.join('.')}: ` : '';
      return `${where}${message}${way === undefined ? '' : ` ${way}`}`;
    });
    return new Problem(status, detail ?? `the server answered ${status}`, fix ?? null, mistakes);
  } catch {
    return new Problem(status, `the server answered ${status}`, null);
  }
}
