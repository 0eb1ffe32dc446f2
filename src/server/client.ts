import type { Hono } from 'hono';
import { ConfigError, type Diagnostic, failure, HookctlError } from '../errors.ts';
import { openLocal, requestLocal } from '../lib/http/local-request.ts';
import type { ApiCall } from '../mcp/backend.ts';
import type { Actor, Secret } from '../types.ts';
import type { Caller } from './access/caller.ts';
import type { ApiEnv, Page } from './api/route.ts';
import { clientHeader } from './credentials.ts';
import type { StatusView } from './status.ts';
import type { WebhookView } from './webhook-view.ts';

/** Where the management socket of a running server is, and what opens it. */
export interface ManagementAddress {
  readonly port: number;
  /** Path of the unix socket, which is used in place of the port. Null when management has no socket. */
  readonly socket: string | null;
  readonly token: Secret;
  /** Who asks, for the audit. */
  readonly actor: Actor;
}

interface ManagementRequest {
  readonly method: string;
  /** With its query, from `/`. */
  readonly path: string;
  /** JSON; null when there is none. */
  readonly body: string | null;
  /** How long the answer may take. Default two minutes. */
  readonly timeoutMs?: number;
}

interface ManagementAnswer {
  readonly status: number;
  readonly isJson: boolean;
  readonly text: string;
}

/** One request to a running server, whatever it answers. Throws `unreachable` when it does not. */
export async function askManagement(
  { port, socket, token, actor }: ManagementAddress,
  { method, path, body, timeoutMs = 120_000 }: ManagementRequest,
): Promise<ManagementAnswer> {
  const base = socket === null ? `http://127.0.0.1:${port}` : 'http://localhost';
  try {
    const { status, headers, text } = await requestLocal(base + path, {
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        'content-type': 'application/json',
        ...clientHeader(actor),
      },
      body,
      socket,
      // The answer to a replay comes when it is worked off, which may be behind others.
      timeoutMs,
    });
    const isJson = /^application\/(?:\w+\+)?json\b/.test(String(headers['content-type']));
    return { status, isJson, text };
  } catch (error) {
    throw failure('unreachable', `the server at ${socket ?? base} does not answer`, { cause: error });
  }
}

/** The management API of a running server, as the CLI uses it. */
export interface ManagementClient {
  readonly call: ApiCall;
  status(owner?: string): Promise<StatusView>;
  /** All webhooks that the server has, in the order of their names. */
  webhooks(): Promise<readonly WebhookView[]>;
}

export function managementClient(address: ManagementAddress): ManagementClient {
  const call: ApiCall = async ({ body, ...request }) => {
    const json = body === undefined ? null : JSON.stringify(body);
    const { status, text } = await askManagement(address, { ...request, body: json });
    return answered(status, text);
  };
  return {
    call,
    status: (owner) =>
      call({ method: 'GET', path: `/api/status${owner === undefined ? '' : `?owner=${owner}`}` }),
    async webhooks() {
      const views: WebhookView[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Page<WebhookView> = await call({
          method: 'GET',
          path: `/api/webhooks?limit=200${after}`,
        });
        views.push(...page.items);
        cursor = page.next_cursor;
      }
      return views;
    },
  };
}

/** An event of `/api/events`, as far as a reader here looks at it. */
export type LiveEvent =
  | { readonly type: 'open' | 'gap' }
  | { readonly type: 'delivery'; readonly id: string; readonly status: string };

/** Longest event: a task with a long prompt. */
const LONGEST_EVENT = 64 * 1024 * 1024;

/** The live stream of a running server, after the event of an id; ends with the stream, or when it breaks off. Throws when it is refused. */
export async function* liveEvents(
  { port, token, actor }: ManagementAddress,
  options: { readonly types: readonly string[]; readonly after: string | null; readonly signal: AbortSignal },
): AsyncGenerator<{ readonly id: string; readonly event: LiveEvent }> {
  const { types, after, signal } = options;
  const { readServerSentEvents } = await import('../lib/http/sse.ts');
  const query = new URLSearchParams({ types: types.join(','), ...(after !== null && { after }) });
  const headers = { authorization: `Bearer ${token.reveal()}`, ...clientHeader(actor) };
  const answer = await openLocal(`http://127.0.0.1:${port}/api/events?${query}`, headers, signal).catch(
    () => null,
  );
  if (answer === null) return;
  if (answer.statusCode !== 200)
    throw failure('no_stream', `the server answers ${answer.statusCode} to a live stream`);
  try {
    for await (const { id, data } of readServerSentEvents(answer, { maxLength: LONGEST_EVENT }))
      yield { id, event: JSON.parse(data) as LiveEvent };
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

/** The server went away, or the reader had enough. */
function isCut(error: unknown): boolean {
  return ['ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

/** Who asks the API of this process. */
interface InProcess {
  readonly actor: Actor;
  readonly caller: Caller;
}

/** The API of this process, asked without a socket. */
export function callInProcess(api: Pick<Hono<ApiEnv>, 'request'>, who: InProcess): ApiCall {
  return async ({ method, path, body }) => {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await api.request(path, init, who);
    return answered(answer.status, await answer.text());
  };
}

/** What a problem answer carries (see `problem` of `api/route.ts`). */
interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fix?: string;
  readonly problems?: readonly Diagnostic[];
}

const EXITS = new Map<number, 1 | 2 | 3 | 4>([
  [400, 2],
  [422, 3],
  [404, 4],
]);

/**
 * What the API answered, or undefined. Throws a refusal as `HookctlError` or `ConfigError`, with the exit status that
 * it has everywhere.
 */
function answered<T>(status: number, text: string): T {
  if (status < 400) return (text === '' ? undefined : JSON.parse(text)) as T;
  const { code, detail, fix, problems } = JSON.parse(text) as Problem;
  if (problems !== undefined) throw new ConfigError(problems);
  throw new HookctlError(code, EXITS.get(status) ?? 1, detail, fix === undefined ? {} : { fix });
}
