import { failure, HookctlError } from '../errors.ts';
import { requestLocal } from '../lib/http/local-request.ts';
import type { Actor, Secret } from '../types.ts';
import { isoOrNull, type OutgoingView } from '../views.ts';
import type { Page } from './api/bodies.ts';
import { clientHeader } from './credentials.ts';
import type { Operations, PrunedView, SettledView } from './operations.ts';
import type { ReplayedView } from './replayed-view.ts';
import type { StatusView } from './status.ts';
import { remoteTaskOperations } from './task-operations.ts';
import type { WebhookView } from './webhook-view.ts';

/** The management API of a running server, as the CLI uses it. */
export interface ManagementClient extends Operations {
  status(): Promise<StatusView>;
  /** All webhooks that the server has, in the order of their names. */
  webhooks(): Promise<readonly WebhookView[]>;
  /** Of the dynamic webhooks that the server has in force. */
  revision(): Promise<string>;
}

/** Where the management socket of a running server is, and what opens it. */
export interface ManagementAddress {
  readonly port: number;
  readonly token: Secret;
  /** Who asks, for the audit. */
  readonly actor: Actor;
}

interface ManagementRequest {
  readonly method: string;
  /** With its query, from `/`. */
  readonly path: string;
  /** JSON; null: none. */
  readonly body: string | null;
}

interface ManagementAnswer {
  readonly status: number;
  readonly isJson: boolean;
  readonly text: string;
}

/** One request to a running server, whatever it answers. Throws `unreachable` when it does not. */
export async function askManagement(
  { port, token, actor }: ManagementAddress,
  { method, path, body }: ManagementRequest,
): Promise<ManagementAnswer> {
  const base = `http://127.0.0.1:${port}`;
  try {
    const { status, headers, text } = await requestLocal(base + path, {
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        'content-type': 'application/json',
        ...clientHeader(actor),
      },
      body,
      // The answer to a replay comes when it is worked off, which may be behind others.
      timeoutMs: 120_000,
    });
    const isJson = /^application\/(?:\w+\+)?json\b/.test(String(headers['content-type']));
    return { status, isJson, text };
  } catch (error) {
    throw failure('unreachable', `the server at ${base} does not answer`, { cause: error });
  }
}

/** What a problem answer carries (see `server/problem.ts`). */
interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fix?: string;
}

/** Its methods throw what the server answered as `HookctlError`, with the exit code it would have had here. */
export function managementClient(address: ManagementAddress): ManagementClient {
  async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const json = body === undefined ? null : JSON.stringify(body);
    const { status, text } = await askManagement(address, { method, path, body: json });
    const answer = JSON.parse(text) as T | Problem;
    if (status >= 400) throw fromProblem(answer as Problem);
    return answer as T;
  }

  return {
    tasks: remoteTaskOperations((path, body) => call('POST', path, body)),
    status: () => call<StatusView>('GET', '/api/status'),
    async webhooks() {
      const views: WebhookView[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: Page<WebhookView> = await call('GET', `/api/webhooks?limit=200${after}`);
        views.push(...page.items);
        cursor = page.next_cursor;
      }
      return views;
    },
    revision: async () => (await call<{ readonly revision: string }>('GET', '/api/revision')).revision,
    retry: (id) => call<SettledView>('POST', `/api/deliveries/${encodeURIComponent(id)}/retry`, {}),
    replay: (id, replies) =>
      call<SettledView>('POST', `/api/deliveries/${encodeURIComponent(id)}/replay`, { replies }),
    replayMany: async (ids, replies) => {
      const { items } = await call<{ readonly items: readonly ReplayedView[] }>(
        'POST',
        '/api/deliveries/replay',
        { ids, replies },
      );
      return items;
    },
    replayFile: ({ webhookName, request, sample = false }, replies) =>
      call<SettledView>('POST', '/api/replays', {
        webhook: webhookName,
        headers: request.headers,
        query: request.query,
        body_base64: Buffer.from(request.body).toString('base64'),
        replies,
        sample,
      }),
    prune: ({ before, samples = false, size }) =>
      call<PrunedView>('POST', '/api/deliveries/prune', { before: isoOrNull(before), samples, size }),
    retryOutgoing: (id) => call<OutgoingView>('POST', `/api/outbox/${encodeURIComponent(id)}/retry`, {}),
    dropOutgoing: (id) => call<OutgoingView>('POST', `/api/outbox/${encodeURIComponent(id)}/drop`, {}),
  };
}

const EXITS = new Map<number, 1 | 2 | 3 | 4>([
  [400, 2],
  [422, 3],
  [404, 4],
]);

function fromProblem({ status, code, detail, fix }: Problem): HookctlError {
  return new HookctlError(code, EXITS.get(status) ?? 1, detail, fix === undefined ? {} : { fix });
}
