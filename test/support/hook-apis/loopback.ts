import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/types.ts';

/** A hook as a loopback sender keeps it. */
export interface KeptHook {
  readonly id: string;
  /** Where it is: `/repos/acme/api`. */
  readonly place: string;
  url: string;
  events: readonly string[];
  secret: string | null;
  isActive: boolean;
}

export interface ApiCall {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or the fields of a form. */
  readonly body: JsonObject;
}

/** `came`: nothing is done yet. `done`: without an answer. `answered`: as far as the sender knows. */
export type Moment = 'came' | 'done' | 'answered';

export interface Reply {
  readonly status: number;
  readonly json?: JsonValue;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What happens to one call in place of, or after, its work. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The connection ends: before an answer, or in the middle of it. */
  readonly cut?: 'reset' | 'half';
  /** The work is done all the same. */
  readonly isDone?: boolean;
}

/** One sender's API: its routes over the hooks that it keeps. */
export interface LoopbackSpec {
  /** Answers a call, or null when there is no such route. */
  route(call: ApiCall, state: LoopbackState): Reply | null;
  /** Whether a request carries the token. */
  isAuthorized(headers: Readonly<Record<string, string>>): boolean;
}

export interface LoopbackState {
  readonly hooks: KeptHook[];
  /** Ids go up, from beyond 2^53. */
  nextId(): string;
  readonly url: () => string;
  /** Asks for a test request. */
  ping(hook: KeptHook): void;
}

export interface LoopbackApi extends LoopbackState {
  readonly calls: readonly ApiCall[];
  /** The fault of the next call that the filter takes; default any. */
  failNext(fault: Fault, takes?: (call: ApiCall) => boolean): void;
  /** Called before each call is worked on, with how many came before. */
  onCall: ((count: number) => void) | null;
  /** Awaited at the moments of each call; `index`: how many came before. */
  onMoment: ((index: number, moment: Moment) => Promise<void>) | null;
  /** Called when a test request is to be sent. */
  onPing: ((hook: KeptHook) => void) | null;
  close(): Promise<void>;
}

/** Starts it on a free port of loopback; it ends with the test, or by `close`. */
export async function startLoopback(spec: LoopbackSpec, { endsWithTest = true } = {}): Promise<LoopbackApi> {
  const calls: ApiCall[] = [];
  const faults: { readonly fault: Fault; readonly takes: (call: ApiCall) => boolean }[] = [];
  let id = 9_007_199_254_740_993n;
  let base = '';
  const state: LoopbackState = {
    hooks: [],
    ping: (hook) => api.onPing?.(hook),
    nextId() {
      id += 2n;
      return String(id);
    },
    url: () => base,
  };
  const api: LoopbackApi = {
    ...state,
    calls,
    onCall: null,
    onMoment: null,
    onPing: null,
    failNext: (fault, takes = () => true) => void faults.push({ fault, takes }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await read(request);
    const index = calls.length;
    api.onCall?.(index);
    calls.push(call);
    await api.onMoment?.(index, 'came');
    // The caller was killed: nothing is done for it any more.
    if (response.destroyed) return;
    const at = faults.findIndex(({ takes }) => takes(call));
    const fault = at < 0 ? null : (faults.splice(at, 1)[0]?.fault ?? null);
    const done = fault === null || fault.isDone === true ? work(call) : null;
    await api.onMoment?.(index, 'done');
    if (response.destroyed) return;
    if (fault?.cut === 'reset') return void response.destroy();
    if (fault?.cut === 'half') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"id":');
      response.destroy();
      return;
    }
    const status = fault?.status ?? done?.status ?? 404;
    const text = fault === null ? textOf(done) : (fault.body ?? (fault.isDone ? textOf(done) : '{}'));
    response.writeHead(status, { 'content-type': 'application/json', ...done?.headers, ...fault?.headers });
    await new Promise<void>((resolve) => response.end(status === 204 ? undefined : text, resolve));
    await api.onMoment?.(index, 'answered');
  }

  function work(call: ApiCall): Reply {
    if (!spec.isAuthorized(call.headers)) return { status: 401, json: { message: 'Bad credentials' } };
    return spec.route(call, api) ?? { status: 404, json: { message: 'Not Found' } };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (endsWithTest) onTestFinished(api.close);
  return api;
}

async function read(request: IncomingMessage): Promise<ApiCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://loopback');
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const form = () => {
    const fields: Record<string, JsonValue> = {};
    for (const [name, value] of new URLSearchParams(text)) {
      if (name.endsWith('[]')) fields[name] = [...((fields[name] as JsonValue[]) ?? []), value];
      else fields[name] = value;
    }
    return fields;
  };
  return {
    method: request.method ?? '',
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
    body: text === '' ? {} : isForm ? form() : JSON.parse(text),
  };
}

/** Ids as numbers beyond 2^53, which `JSON.stringify` could not write. */
function textOf(reply: Reply | null): string {
  if (reply?.text !== undefined) return reply.text;
  return JSON.stringify(reply?.json ?? {}).replaceAll(/"#(\d+)"/g, '$1');
}

/** A number in an answer, whatever its size. */
export function numeric(id: string): string {
  return `#${id}`;
}

/** One page of a list, and the `Link` header of GitHub's style to the next. */
export function linkedPage<T extends JsonValue>(
  all: readonly T[],
  { path, query }: ApiCall,
  base: string,
  size = 2,
): Reply {
  const page = Number(query.get('page') ?? 1);
  const items = all.slice((page - 1) * size, page * size);
  const hasMore = page * size < all.length;
  const link = `<${base}${path}?page=${page + 1}>; rel="next", <${base}${path}?page=9>; rel="last"`;
  return { status: 200, json: items, ...(hasMore && { headers: { link } }) };
}
